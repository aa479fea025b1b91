"""Level-based foraging: food is loaded by agents next to it whose levels together reach its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_decider
from graphwright.core.numbers import require, require_each
from graphwright.core.segment import segment_sum
from graphwright.envs.team import Team
from graphwright.envs.teams.cells import SIGHT, STEPS, crowding, sight
from graphwright.envs.teams.crowd import AGENT, LANDMARK, by_team, of_type

NONE, LOAD = 0, 5


@dataclass(frozen=True)
class Foraging(Team):
    """Level-based foraging (Albrecht & Ramamoorthy 2013; Papoudakis et al. 2021), with the rules of `lbforaging`.

    Instance: agents and food, every agent joined to all others (`crowd`); node columns `start` [N, 2] int64, a cell,
        and `level` [N] int64; graph column `side` [B] int64 of the square field. No cell is next to two pieces of food.
    State: adds the node columns `cell` [N, 2] int64 and `present` [N] bool, and the graph column `time` [B] int64.
    Observation: per node its `type`, `level` (0 where it is gone) and which of the four next cells are `free`; per edge
        its `type` and where its source is seen from its destination (`cells.sight`). With the option `sight`, only
        edges of at most so many rows and columns.
    Action: of each agent, nothing, a step north, south, west or east onto a cell of the field without food, or to load
        where there is food beside it.
    Dynamics: an agent stays where another wants to be in the same cell. Food is loaded where the levels of those that
        load beside it are at least its own.
    Reward: of each agent that loaded, its share, by level, of the level of the food over that of all food; minus
        `penalty` where the levels did not suffice.
    Termination: all food is loaded. Truncation: after `steps`.
    """

    steps: int = 50
    """An episode is cut short after so many steps."""
    sight: int = 0
    """How many rows and columns away agents see; 0 for all."""
    penalty: float = 0.0
    """What it costs to load in vain."""

    features = Features(nodes={"level": 1, "free": 4}, edges=SIGHT, node_types=2, edge_types=3)
    actions = ActionSpec(per_decider("do", 6), decider="nodes")
    own_reward = True

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no environment."""
        require("environment.steps", self.steps)
        require_each(self, "environment", ("sight", "penalty"), 0)

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        start = instances.nodes["start"]
        time = torch.zeros(instances.num_graphs, dtype=torch.int64, device=instances.device)
        present = instances.nodes["level"] > 0
        return instances.with_nodes(cell=start, present=present).with_graphs(time=time)

    @override
    def observe(self, state: GraphBatch) -> Observation:
        agents = of_type(state, AGENT)
        offset, beside = offsets(state)
        free, loadable = _possible(state, agents, beside)
        doable = torch.ones(agents.numel(), 6, dtype=torch.bool, device=state.device)
        doable[:, 1:5], doable[:, LOAD] = free, loadable
        shown = torch.zeros(state.num_nodes, 4, dtype=torch.bool, device=state.device).index_copy(0, agents, free)
        graph = state.keep(["type"], ["type"]).with_nodes(
            level=state.nodes["level"] * state.nodes["present"], free=shown, acts=state.nodes["type"] == AGENT
        )
        graph = graph.with_edges(**sight(offset))
        if self.sight:
            graph = graph.filter_edges(offset.abs().amax(1) <= self.sight)
        return Observation(graph, (doable,))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        agents = of_type(state, AGENT)
        cell = state.nodes["cell"]
        moves = (action >= 1) & (action <= 4)
        wanted = cell[agents] + STEPS.to(cell)[(action - 1).clamp(0, 3)] * moves.unsqueeze(1)
        alone = crowding(state.node_graph[agents], wanted) == 1
        moved = state.with_nodes(cell=cell.index_copy(0, agents, torch.where(alone[:, None], wanted, cell[agents])))
        loads = torch.zeros_like(state.nodes["present"]).index_copy(0, agents, action == LOAD)
        present, reward = self._load(moved, loads)
        time = state.graphs["time"] + 1
        following = moved.with_nodes(present=present).with_graphs(time=time)
        left = segment_sum(present & (state.nodes["type"] == LANDMARK), state.node_segments)
        done = left == 0
        return Step(following, reward[agents].float(), done, (time >= self.steps) & ~done)

    def _load(self, state: GraphBatch, loads: Tensor) -> tuple[Tensor, Tensor]:
        """What is still there, and what each node has earned, float64, where the agents `loads` [N] bool load."""
        (source, end), level = state.edge_index, state.nodes["level"].double()
        _, beside = offsets(state)
        pair = (beside & (state.edges["type"] == 1) & state.nodes["present"][source] & loads[end]).nonzero().squeeze(1)
        food, agent = source[pair], end[pair]
        together = torch.zeros_like(level).index_add(0, food, level[agent])
        suffices = together[food] >= level[food]
        whole = segment_sum(level * (state.nodes["type"] == LANDMARK), state.node_segments)[state.node_graph]
        share = level[agent] * level[food] / (together[food] * whole[food])
        earned = torch.where(suffices, share, -self.penalty)
        loaded = torch.zeros_like(loads).index_fill(0, food[suffices], True)
        return state.nodes["present"] & ~loaded, torch.zeros_like(level).index_add(0, agent, earned)

    @override
    def measures(self, state: GraphBatch) -> Mapping[str, Tensor]:
        """`success`: all food is loaded; `collected`: the share that is, by level."""
        food = state.nodes["level"] * (state.nodes["type"] == LANDMARK)
        total = segment_sum(food.double(), state.node_segments)
        left = segment_sum((food * state.nodes["present"]).double(), state.node_segments)
        return {"success": (left == 0).double(), "collected": 1 - left / total.clamp(min=1)}

    @property
    @override
    def shares(self) -> frozenset[str]:
        return frozenset({"collected"})

    @override
    def scene(self, instances: GraphBatch) -> Mapping[str, Tensor]:
        levels = {"levels": by_team(instances, "level", AGENT), "food_levels": by_team(instances, "level", LANDMARK)}
        return {"food": by_team(instances, "start", LANDMARK), **levels}

    @override
    def snapshot(self, state: GraphBatch) -> Mapping[str, Tensor]:
        return {"cells": by_team(state, "cell", AGENT), "present": by_team(state, "present", LANDMARK).long()}


def offsets(state: GraphBatch) -> tuple[Tensor, Tensor]:
    """[E, 2] int64: where each edge's source is seen from its destination; [E] bool: whether that is one step away."""
    cell, (source, end) = state.nodes["cell"], state.edge_index
    offset = cell[source] - cell[end]
    return offset, offset.abs().sum(1) == 1


def neighbours(state: GraphBatch, rows: Tensor) -> Tensor:
    """[N, 4] bool: on which of the four next cells of each node there is the source of one of the edges `rows` [P]."""
    (source, end), cell = state.edge_index[:, rows], state.nodes["cell"]
    found = torch.zeros(state.num_nodes, 4, dtype=torch.bool, device=state.device)
    direction = ((cell[source] - cell[end]).unsqueeze(1) == STEPS.to(cell)).all(2).long().argmax(1)
    return found.index_put((end, direction), torch.ones_like(direction, dtype=torch.bool))


def _possible(state: GraphBatch, agents: Tensor, beside: Tensor) -> tuple[Tensor, Tensor]:
    """[D, 4] bool: onto which next cells each agent can step; [D] bool: whether there is food beside it."""
    source, cell = state.edge_index[0], state.nodes["cell"][agents]
    food = (beside & (state.edges["type"] == 1) & state.nodes["present"][source]).nonzero().squeeze(1)
    taken = neighbours(state, food)
    side = state.graphs["side"][state.node_graph[agents]]
    after = cell.unsqueeze(1) + STEPS.to(cell)
    inside = ((after >= 0) & (after < side[:, None, None])).all(2)
    return inside & ~taken[agents], taken[agents].any(1)
