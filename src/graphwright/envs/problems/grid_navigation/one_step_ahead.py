"""A rule for a robot among moving obstacles that looks one step ahead."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import Observation

STAY = 4


def one_step_ahead(observation: Observation) -> Tensor:
    """[B] int64: of the actions that do not crash now the one that leaves the fewest cells to the goal.

    It goes along a shortest path of the grid without its obstacles, waits where one is in the way, and steps aside
    where waiting is a crash. Of equals it takes the first of north, east, south, west.
    """
    graph, (legal,) = observation.graph, observation.masks
    cost = graph.nodes["left"] + graph.num_nodes * graph.nodes["danger"]
    score = torch.full(legal.shape, -torch.inf, dtype=torch.float64, device=graph.device)
    score[:, STAY] = -cost[graph.nodes["robot"]].double()
    leaving = graph.nodes["robot"][graph.edge_index[0]].nonzero().squeeze(1)
    direction = graph.edges["direction"][leaving].int().argmax(1)
    score[graph.edge_graph[leaving], direction] = -cost[graph.edge_index[1, leaving]].double()
    return score.argmax(1)
