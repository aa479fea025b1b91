"""Weighted minimum vertex cover."""
