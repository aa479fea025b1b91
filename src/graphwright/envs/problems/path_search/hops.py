"""Breadth-first search over all graphs of a batch at once."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_argmax


def hops_from(graph: GraphBatch, sources: Tensor) -> Tensor:
    """[N] int64: how many edges lead from the nearest of `sources` [N] bool to each node; -1 where none does.

    One round over the edges for each level of the deepest graph.
    """
    start, end = graph.edge_index
    hops = torch.where(sources, 0, -1)
    frontier, level = sources, 0
    while frontier.any():
        level += 1
        reached = torch.zeros_like(sources)
        reached[end[frontier[start]]] = True
        frontier = reached & (hops < 0)
        hops = torch.where(frontier, level, hops)
    return hops


def first_true(graph: GraphBatch, column: Tensor) -> Tensor:
    """[B] int64: the first node of each graph where `column` [N] bool is true, inside its graph; -1 where none is."""
    return segment_argmax(torch.where(column, 0.0, -torch.inf), graph.node_segments)


def mark(graph: GraphBatch, node: Tensor) -> Tensor:
    """[N] bool: true at the `node` [B] of each graph, counted inside it; nowhere in a graph where that is -1."""
    marked = torch.zeros(graph.num_nodes, dtype=torch.bool, device=graph.device)
    marked[(graph.node_ptr[:-1] + node)[node >= 0]] = True
    return marked
