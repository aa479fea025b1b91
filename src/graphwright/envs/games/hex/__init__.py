"""Hex: the switching game on a rhombus of hexagons."""
