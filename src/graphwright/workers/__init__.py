"""Processes that work for this one and share memory with it."""
