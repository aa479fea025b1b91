"""Scripted agents: each flies to the landmark that a plan gives it, or to the nearest."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_argmax
from graphwright.envs.environment import Environment
from graphwright.envs.teams.coverage.environment import matched_offsets
from graphwright.envs.teams.crowd import AGENT, LANDMARK, least_of_type, of_type
from graphwright.envs.teams.particles import STEP, accelerated, pushes

_AHEAD = 0.05  # how long one looks ahead after a step, with the velocity that one will have


def assigned(environment: Environment, state: GraphBatch) -> Tensor:
    """[D] int64: towards the landmark of the matching of least total distance, of all agents at once."""
    return _towards(state, matched_offsets(state))


def greedy(environment: Environment, state: GraphBatch) -> Tensor:
    """[D] int64: towards the landmark of the greedy matching: again and again, those that are each other's nearest."""
    position, (source, end) = state.nodes["position"], state.edge_index
    offset = position[source] - position[end]
    distance, free = offset.norm(dim=1), state.edges["type"] == 1
    edge = torch.zeros(state.num_nodes, dtype=torch.int64, device=state.device)
    while bool(free.any()):
        left = distance.masked_fill(~free, torch.inf)
        pair = (free & least_of_type(left, end, state) & least_of_type(left, source, state)).nonzero().squeeze(1)
        edge = edge.index_copy(0, end[pair], pair)
        gone = torch.zeros_like(edge, dtype=torch.bool).index_fill(0, torch.cat([source[pair], end[pair]]), True)
        free = free & ~gone[source] & ~gone[end]
    return _towards(state, offset[edge[of_type(state, AGENT)]])


def nearest(environment: Environment, state: GraphBatch) -> Tensor:
    """[D] int64: towards the nearest landmark, whoever else goes there."""
    position, (source, end) = state.nodes["position"], state.edge_index
    offset = position[source] - position[end]
    far = offset.norm(dim=1).masked_fill(state.nodes["type"][source] != LANDMARK, torch.inf)
    agents = of_type(state, AGENT)
    edge = state.in_edges.ptr[:-1][agents] + segment_argmax(-far, state.in_edges)[agents]
    return _towards(state, offset[edge])


def _towards(state: GraphBatch, offset: Tensor) -> Tensor:
    """[D] int64: the push after which an agent is nearest to `offset` [D, 2] from where it is, a little later."""
    velocity = state.nodes["velocity"][of_type(state, AGENT)]
    choice = torch.arange(5, device=state.device)
    after = [accelerated(velocity, pushes(each.expand(len(velocity)), velocity)) for each in choice]
    missed = torch.stack([(offset - (STEP + _AHEAD) * each).norm(dim=1) for each in after], dim=1)
    return missed.argmin(1)
