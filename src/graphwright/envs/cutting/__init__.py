"""Cutting problems."""
