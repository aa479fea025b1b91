"""Covering problems."""
