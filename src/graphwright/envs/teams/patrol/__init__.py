"""Agents that visit the places of a map again and again."""
