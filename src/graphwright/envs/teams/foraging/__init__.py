"""Agents that collect food, some of which takes several of them."""
