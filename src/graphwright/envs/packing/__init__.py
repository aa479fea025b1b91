"""Choosing nodes no two of which are joined."""
