"""Shortest paths with a proof: what searches are measured against."""

from __future__ import annotations

import torch

from graphwright.core import GraphBatch, out_edges
from graphwright.core.segment import segment_argmax
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Optimum
from graphwright.envs.problems.path_search.hops import hops_from
from graphwright.envs.rollouts import carry_out


def shortest_paths(environment: Optimization, instances: GraphBatch) -> Optimum:
    """The fewest hops from `start` to `target`, by breadth-first search, and the states at the ends of such walks.

    instances: undirected graphs with the node columns `start` and `target`, joined by a path.
    """
    left = hops_from(instances, instances.nodes["target"])
    at = instances.nodes["start"].nonzero().squeeze(1)
    moves = torch.full((int(max(left[at].tolist(), default=0)), at.numel()), -1, device=at.device)
    for move in moves:
        walking = left[at] > 0
        rows, edges = out_edges(instances.with_graphs(at=at - instances.node_ptr[:-1]))
        node = instances.edge_index[1, rows]
        nearest = segment_argmax(-left[node].double(), edges)
        move[walking] = nearest[walking]
        at = torch.where(walking, node[edges.ptr[:-1] + nearest], at)
    final = carry_out(environment, instances, moves)
    objective = environment.objective(final)
    return Optimum(objective, objective, torch.ones_like(objective, dtype=torch.bool), final)
