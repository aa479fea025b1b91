"""Depth-first searches that know which way to try first."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Observation, out_edges
from graphwright.core.segment import segment_argmax


def greedy(observation: Observation) -> Tensor:
    """[B] int64: of the neighbours where the agent has not been the nearest to the target; back where there is none.

    Greedy routing (Kleinberg 2000) with the memory of a depth-first search, which finds every target in 2 n hops.
    """
    return _depth_first(observation.graph, "progress")


def high_degree(observation: Observation) -> Tensor:
    """[B] int64: of the neighbours where the agent has not been that of largest degree; back where there is none.

    Adamic, Lukose, Puniyani & Huberman (2001), "Search in power-law networks".
    """
    return _depth_first(observation.graph, "log_degree")


def _depth_first(graph: GraphBatch, preference: str) -> Tensor:
    """[B] int64: the target, else the unvisited neighbour of largest `preference`, the first of equals, else back."""
    rows, neighbours = out_edges(graph)
    column = {name: graph.nodes[name][graph.edge_index[1, rows]] for name in ("target", "visited", "way_back")}
    score = graph.nodes[preference][graph.edge_index[1, rows]]
    score = torch.where(column["way_back"], -1e6, score.masked_fill(column["visited"], -2e6))
    return segment_argmax(score.masked_fill(column["target"], 1e6), neighbours)
