"""Foraging as a problem of the registry: random fields, a scripted team."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.problem import ControlRule, Problem
from graphwright.envs.teams.crowd import AGENT, crowd, members, of_type
from graphwright.envs.teams.foraging.environment import Foraging
from graphwright.envs.teams.foraging.rules import together

_SIDE, _AGENTS = 8, 2  # of the field that others are as full as


def fields(graph: GraphBatch, generator: torch.Generator, *, coop: bool) -> GraphBatch:
    """As many agents of level 1 or 2 as `graph` has nodes, and as many pieces of food, as `lbforaging` spawns them.

    The field is 8 x 8 for two agents, and as full for more. coop: food takes all agents, or three of them; otherwise
    its level is uniform up to that.
    """
    agents = graph.node_segments.lengths
    side = (_SIDE * (agents.double() / _AGENTS).clamp(min=1).sqrt()).ceil().long()
    instances = crowd(agents, agents)
    teams, most = instances.node_segments, int(agents.max()) if agents.numel() else 0
    widest, device = int(side.max()) if side.numel() else 1, agents.device
    rows = torch.arange(widest, device=device)
    inside = rows < side[:, None]
    room = (inside[:, :, None] & inside[:, None, :]).flatten(1)
    inner = (rows >= 1) & (rows < side[:, None] - 1)
    border = ~(inner[:, :, None] & inner[:, None, :]).flatten(1)
    start = torch.zeros(instances.num_nodes, 2, dtype=torch.int64, device=device)
    level = torch.zeros(instances.num_nodes, dtype=torch.int64, device=device)
    level[of_type(instances, AGENT)] = _drawn(of_type(instances, AGENT).numel(), 2, generator)
    for place in range(most):
        rows_of = (agents > place).nonzero().squeeze(1)
        cell = _free_cell(room[rows_of], generator)
        room[rows_of, cell] = False
        start[teams.ptr[rows_of] + place] = torch.stack([cell // widest, cell % widest], 1)
    highest = _three_lowest(level, instances)
    room &= ~border
    for place in range(most):
        rows_of = ((agents > place) & room.any(1)).nonzero().squeeze(1)
        cell = _free_cell(room[rows_of], generator)
        at = torch.stack([cell // widest, cell % widest], 1)
        node = teams.ptr[rows_of] + agents[rows_of] + place
        start[node] = at
        least = torch.ones_like(highest[rows_of]) if not coop else highest[rows_of]
        share = torch.rand(rows_of.numel(), generator=generator, device=device)
        level[node] = least + (share * (highest[rows_of] - least + 1)).long()
        room[rows_of] &= ~_around(at, widest)
    return instances.with_nodes(start=start, level=level).with_graphs(side=side)


def _drawn(count: int, most: int, generator: torch.Generator) -> Tensor:
    return 1 + torch.randint(most, (count,), generator=generator, device=generator.device)


def _free_cell(room: Tensor, generator: torch.Generator) -> Tensor:
    """[R] int64: one of the cells where `room` [R, cells] is true, each as likely."""
    noise = torch.rand(room.shape, generator=generator, device=room.device)
    return noise.masked_fill(~room, -1).argmax(1) if room.numel() else room.new_empty(0, dtype=torch.int64)


def _around(at: Tensor, width: int) -> Tensor:
    """[R, width²] bool: the cells that may hold no other food where there is some at `at` [R, 2]."""
    line = torch.arange(width, device=at.device)
    down, across = ((line - at[:, axis : axis + 1]).abs() for axis in (0, 1))
    down, across = down[:, :, None], across[:, None, :]
    near = (down <= 1) & (across <= 1) | (down + across == 2) & ((down == 0) | (across == 0))
    return near.flatten(1)


def _three_lowest(level: Tensor, graph: GraphBatch) -> Tensor:
    """[B] int64: the levels of the three agents of lowest level together, or of all where there are fewer."""
    rows, teams = members(graph, AGENT)
    own = level[rows]
    order = torch.argsort(teams.index * (int(own.max()) + 1) + own) if own.numel() else rows
    return segment_sum(own[order] * (teams.position < 3), teams)


FORAGING = Problem(
    name="foraging",
    summary="a team collects food, which takes several at once, as in lbforaging",
    objective="return",
    environment=Foraging(),
    topology="points",
    sizes=(2,),
    laws={"coop": partial(fields, coop=True), "mixed": partial(fields, coop=False)},
    baselines={"together": ControlRule(together)},
    training={
        "algorithm": "ppo",
        "encoder": {"kind": "transformer", "depth": 2},
        "heads": {"value_pool": "mean"},
        "ppo": {
            "ratio": "decision",
            "learning_rate": 1e-3,
            "discount": 0.95,
            "gae_lambda": 0.9,
            "value_coefficient": 0.5,
            "entropy_coefficient": 0.01,
        },
        **{name: {"discount": 0.9, "learning_rate": 5e-4} for name in ("dqn", "iql")},
        "collection": {
            "steps": {"num_envs": 64, "num_steps": 25},
            # Food is loaded by several at once: all have to be curious at the same time.
            "exploring-replay": {"num_minibatches": 16, "minibatch_size": 64, "exploration": {"epsilon": 0.7}},
        },
        "validation": {"sizes": (2,), "graphs": 64, "every": 10, "decode": "sample"},
    },
)
