"""Pairs of the nodes of a graph, by their numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core.graph import GraphBatch
from graphwright.core.segment import Segments


def pair_segments(graph: GraphBatch) -> Segments:
    """The n² ordered pairs of nodes of each graph."""
    return Segments.from_lengths(graph.node_segments.lengths.square())


def pair_ends(graph: GraphBatch) -> tuple[Tensor, Tensor]:
    """The first and the second node of every ordered pair, numbered over the union, [P] int64 each."""
    pairs = pair_segments(graph)
    size, start = graph.node_segments.lengths[pairs.index], graph.node_ptr[:-1][pairs.index]
    return start + pairs.position // size, start + pairs.position % size


def unordered_pair_segments(graph: GraphBatch) -> Segments:
    """The n · (n - 1) / 2 unordered pairs of nodes of each graph."""
    sizes = graph.node_segments.lengths
    return Segments.from_lengths(sizes * (sizes - 1) // 2)


def unordered_pair_nodes(row: Tensor) -> tuple[Tensor, Tensor]:
    """u and v > u, counted inside their graph, of the unordered pair at each `row` int64."""
    v = ((8 * row + 1).double().sqrt() + 1).div(2, rounding_mode="floor").long()  # exact below 2^50 rows
    return row - v * (v - 1) // 2, v


def unordered_pair_row(one: Tensor, other: Tensor) -> Tensor:
    """The row of each unordered pair of different nodes, counted inside their graph."""
    low, high = torch.minimum(one, other), torch.maximum(one, other)
    return high * (high - 1) // 2 + low
