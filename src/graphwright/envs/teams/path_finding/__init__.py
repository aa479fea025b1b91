"""Robots on a grid that find their ways around obstacles and each other."""
