"""What a walk leaves behind: two node columns, and the way that can be read from them.

found: [N] int32, after how many steps the agent was on a node first, -1 where it never was.
visits: [N] int32, how often it was there.
"""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.optimization import Solution


def discovery(state: GraphBatch) -> Solution:
    """The nodes of one graph in the order in which they were found, and the way to the last of them.

    The way leads, seen from its end, from each node to its neighbour that was found first. Every node but the start was
    entered from a neighbour that had been found before, so the way goes back to the start.
    """
    found = state.nodes["found"]
    nodes = found.argsort(stable=True)
    nodes = nodes[found[nodes] >= 0]
    way = [int(nodes[-1])]
    source, destination = state.edge_index
    while int(found[way[-1]]) > 0:
        neighbours = source[(destination == way[-1]) & (found[source] >= 0)]
        way.append(int(neighbours[found[neighbours].argmin()]))
    return Solution(nodes, torch.tensor([way[1:], way[:-1]], dtype=torch.int64).flip(1))


def begin(start: Tensor) -> dict[str, Tensor]:
    """The columns `found` and `visits` [N] int32 of agents that stand at `start` [N] bool."""
    return {"found": torch.where(start, 0, -1).to(torch.int32), "visits": start.to(torch.int32)}


def go(state: GraphBatch, node: Tensor, step: Tensor) -> dict[str, Tensor]:
    """Those columns when the agents of `state` go to, or stay on, `node` [B], counted over the union, in `step` [B]."""
    found, visits = state.nodes["found"].clone(), state.nodes["visits"].clone()
    found[node] = torch.where(visits[node] > 0, found[node], step.to(torch.int32))
    visits[node] += 1
    return {"found": found, "visits": visits}
