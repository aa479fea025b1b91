"""Agents that hunt prey on a torus."""
