"""What the tree would gain by going through a node on its way to the terminals around it."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.problems.steiner_tree.near import near_rows


def insertion_gain(state: GraphBatch) -> Tensor:
    """[N] float32: by how much a spanning tree gets shorter if the tree goes straight to a node first.

    It is the spanning tree of the distances between the tree and those of the node's `near` terminals that are not
    reached yet. With exact spanning trees over all terminals, this is what the vertex insertion heuristic of Minoux
    (1990, "Efficient greedy heuristics for Steiner tree problems using reoptimization and supermodularity") goes by.
    """
    nodes = state.nodes
    there = near_rows(state)
    reached = (nodes["near"] < 0) | nodes["in_tree"][there]
    before = nodes["to_tree"][there].masked_fill(reached, torch.inf)
    after = torch.minimum(before, nodes["near_distance"].masked_fill(reached, torch.inf))
    between = nodes["near_between"]
    return spanning_length(before, between) - spanning_length(after, between) - nodes["to_tree"]


def spanning_length(first: Tensor, between: Tensor) -> Tensor:
    """[N] float32: the length of a minimum spanning tree of a root and those of k points that have a distance to it.

    first: [N, k], the distances to the root, infinite for points to be left out; between: [N, k, k], those between the
    points. The method of Prim (1957), for all N at once.
    """
    outside, distance = first.isfinite(), first
    total = torch.zeros_like(first[:, 0])
    for _ in range(first.shape[1]):
        least, point = distance.masked_fill(~outside, torch.inf).min(1)
        total = total + least.nan_to_num(posinf=0.0)
        outside = outside.scatter(1, point.unsqueeze(1), False)
        row = point.view(-1, 1, 1).expand(-1, 1, between.shape[2])
        distance = torch.minimum(distance, between.gather(1, row).squeeze(1))
    return total


def best_beyond(state: GraphBatch, value: Tensor) -> Tensor:
    """[N] float32: the largest `value` [N] of a node and those to which a shortest path from the tree leads over it."""
    source, destination = state.edge_index
    distance = state.nodes["to_tree"]
    on = (distance[source] + state.edges["length"] == distance[destination]).nonzero().squeeze(1)
    before, after = source[on], destination[on]
    while True:
        larger = value.scatter_reduce(0, before, value[after], "amax")
        if torch.equal(larger, value):
            return value
        value = larger
