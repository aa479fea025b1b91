"""Distributions over ragged groups of candidates."""

from graphwright.distributions.categorical import RaggedCategorical

__all__ = ["RaggedCategorical"]
