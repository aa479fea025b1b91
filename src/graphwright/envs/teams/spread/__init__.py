"""Agents that spread over landmarks and push each other away."""
