"""Agents that cover landmarks."""
