"""Steiner trees: the cheapest tree that joins terminals."""
