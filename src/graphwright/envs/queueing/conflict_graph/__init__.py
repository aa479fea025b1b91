"""Wireless links that disturb each other."""
