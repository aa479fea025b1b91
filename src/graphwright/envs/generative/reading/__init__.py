"""Finished objects from files, as `graphwright sample` writes them, a file for each way to write them."""

from graphwright.envs.generative.reading.objects import read_objects, suffixes

__all__ = ["read_objects", "suffixes"]
