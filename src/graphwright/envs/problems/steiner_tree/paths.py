"""Shortest distances, and trees without their dead branches: what the Steiner tree problem computes on its graphs."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum


def shortest_distance(graph: GraphBatch, start: Tensor) -> Tensor:
    """[N], as the lengths: the least of start[u] plus the length of a path from u to each node, over all u.

    start: [N] float32, 0 at the nodes to measure from and infinite at others; any upper bounds of the result do as well
    and save time. Edge column `length` [E] float, non-negative.

    The method of Bellman (1958) and Ford (1956), all edges at once in each sweep.
    """
    source, destination = graph.edge_index
    length = graph.edges["length"]
    distance = start.to(length.dtype)
    while True:
        shorter = distance.scatter_reduce(0, destination, distance[source] + length, "amin")
        if torch.equal(shorter, distance):
            return distance
        distance = shorter


def without_dead_branches(graph: GraphBatch, chosen: Tensor, terminal: Tensor) -> Tensor:
    """[E] bool: the edges of a forest, `chosen` [E] bool in both directions, without leaves that are no `terminal`."""
    source, destination = graph.edge_index
    while True:
        dead = (segment_sum(chosen, graph.in_edges) == 1) & ~terminal
        kept = chosen & ~dead[source] & ~dead[destination]
        if torch.equal(kept, chosen):
            return chosen
        chosen = kept
