"""Pursuit: prey that wanders over a torus is caught by agents around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, GraphError, Observation, Step, per_decider
from graphwright.core.numbers import require_each
from graphwright.core.segment import segment_argmax, segment_sum
from graphwright.envs.environment import Environment
from graphwright.envs.problem import ControlRule, Problem
from graphwright.envs.randomness import node_streams, uniform, with_seeds
from graphwright.envs.team import Team
from graphwright.envs.teams.cells import SIGHT, STEPS, sight
from graphwright.envs.teams.crowd import AGENT, LANDMARK, by_team, crowd, members, of_type
from graphwright.envs.teams.defaults import CROWD

_CELLS = 20  # of the torus, an agent


@dataclass(frozen=True)
class Pursuit(Team):
    """Catch all prey on a square torus of cells, each by several agents beside it at once (after Benda et al. 1986).

    Instance: agents and prey, every agent joined to all others (`crowd`); node columns `start` [N, 2] int64, a cell,
        and `number` [N] int64; graph columns `side` [B] int64 and `seed` [B] int64.
    State: adds the node columns `cell` [N, 2] int64 and `free` [N] bool, false of prey that is caught; the graph column
        `time` [B] int64.
    Observation: per node its `type` and whether it is `free`; per edge its `type` and where its source is seen from its
        destination, the short way round (`sight`).
    Action: of each agent, nothing, or a step north, south, west or east. Agents may share a cell.
    Dynamics: agents move; prey with `hunters` agents beside it or more is caught; prey that is free then stays or takes
        a step, each of the five as likely, by a hash of `seed`, `number` and time.
    Reward: of the team, the share of the prey that is caught in the step.
    Termination: all prey is caught. Truncation: after `steps`.
    """

    steps: int = 100
    """An episode is cut short after so many steps."""
    hunters: int = 2
    """How many agents beside it catch prey."""

    features = Features(nodes={"free": 1}, edges=SIGHT, node_types=2, edge_types=3)
    actions = ActionSpec(per_decider("move", 5), decider="nodes")

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no environment."""
        require_each(self, "environment", ("steps", "hunters"))

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        teams = members(instances, AGENT)[1].lengths
        if bool((teams < self.hunters).any()):
            raise GraphError(
                f"a team of {int(teams.min())} catches nothing, as it takes {self.hunters} beside the prey "
                "(--environment.hunters); give more --agents"
            )
        free = torch.ones_like(instances.nodes["type"], dtype=torch.bool)
        time = torch.zeros_like(instances.graphs["side"])
        return instances.with_nodes(cell=instances.nodes["start"], free=free).with_graphs(time=time)

    @override
    def observe(self, state: GraphBatch) -> Observation:
        acts = state.nodes["type"] == AGENT
        graph = state.keep(["type", "free"], ["type"]).with_nodes(acts=acts)
        seen = graph.with_edges(**sight(short_way(state)))
        return Observation(seen, (torch.ones(int(acts.sum()), 5, dtype=torch.bool, device=state.device),))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        agents, cell = of_type(state, AGENT), state.nodes["cell"]
        side = state.graphs["side"][state.node_graph].unsqueeze(1)
        moved = state.with_nodes(cell=cell.index_add(0, agents, _MOVES.to(cell)[action]) % side)
        beside = (short_way(moved).abs().sum(1) == 1) & (state.edges["type"] == 2)
        around = segment_sum(beside, state.in_edges)
        prey = state.nodes["free"] & (state.nodes["type"] == LANDMARK)
        caught = prey & (around >= self.hunters)
        time = state.graphs["time"]
        chance = uniform(node_streams(state), time[state.node_graph], 0)
        wanders = (prey & ~caught).unsqueeze(1) * _MOVES.to(cell)[(5 * chance).long()]
        following = moved.with_nodes(cell=(moved.nodes["cell"] + wanders) % side, free=state.nodes["free"] & ~caught)
        following = following.with_graphs(time=time + 1)
        count = segment_sum(state.nodes["type"] == LANDMARK, state.node_segments).clamp(min=1)
        reward = segment_sum(caught, state.node_segments) / count
        done = segment_sum(prey & ~caught, state.node_segments) == 0
        return Step(following, reward.float(), done, (time + 1 >= self.steps) & ~done)

    @override
    def measures(self, state: GraphBatch) -> Mapping[str, Tensor]:
        """`success`: all prey is caught; `caught`: the share that is."""
        prey = state.nodes["type"] == LANDMARK
        left = segment_sum(prey & state.nodes["free"], state.node_segments).double()
        count = segment_sum(prey, state.node_segments).clamp(min=1)
        return {"success": (left == 0).double(), "caught": 1 - left / count}

    @property
    @override
    def shares(self) -> frozenset[str]:
        return frozenset({"caught"})

    @override
    def snapshot(self, state: GraphBatch) -> Mapping[str, Tensor]:
        free = by_team(state, "free", LANDMARK).long()
        return {"cells": by_team(state, "cell", AGENT), "prey": by_team(state, "cell", LANDMARK), "free": free}

    @override
    def scene(self, instances: GraphBatch) -> Mapping[str, Tensor]:
        side = int(instances.graphs["side"].max()) if instances.num_graphs else 0
        ground = torch.zeros(instances.num_graphs, side, side, dtype=torch.uint8)
        return {"map": ground, "side": instances.graphs["side"]}


_MOVES = torch.cat([torch.zeros(1, 2, dtype=torch.int64), STEPS])


def short_way(state: GraphBatch) -> Tensor:
    """[E, 2] int64: where each edge's source is seen from its destination, the short way round the torus."""
    cell, (source, end) = state.nodes["cell"], state.edge_index
    side = state.graphs["side"][state.edge_graph].unsqueeze(1)
    return (cell[source] - cell[end] + side // 2) % side - side // 2


def hunts(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """As many agents as `graph` has nodes and half as many prey, on a torus of 20 cells an agent, all anywhere."""
    agents = graph.node_segments.lengths
    instances = with_seeds(crowd(agents, (agents + 1) // 2), generator)
    side = (_CELLS * agents.double()).sqrt().ceil().long()
    drawn = torch.rand(instances.num_nodes, 2, generator=generator, device=generator.device)
    start = (drawn * side[instances.node_graph].unsqueeze(1)).long()
    return instances.with_nodes(start=start).with_graphs(side=side)


def nearest(environment: Environment, state: GraphBatch) -> Tensor:
    """[D] int64: towards the nearest prey that is free, and to wait beside it."""
    offset, source = short_way(state), state.edge_index[0]
    far = offset.abs().sum(1).double()
    prey = (state.edges["type"] == 1) & state.nodes["free"][source]
    agents = of_type(state, AGENT)
    best = segment_argmax(torch.where(prey, -far, -torch.inf), state.in_edges)[agents].clamp(min=0)
    goal = offset[state.in_edges.ptr[:-1][agents] + best]
    after = (_MOVES.to(goal) - goal.unsqueeze(1)).abs().sum(2)
    return (after - 1).abs().argmin(1)  # one step away is where one hunts from


PURSUIT = Problem(
    name="pursuit",
    summary="a team hunts prey on a torus",
    objective="return",
    environment=Pursuit(),
    topology="points",
    sizes=(4,),
    laws={"uniform": hunts},
    baselines={"nearest": ControlRule(nearest)},
    training=CROWD
    | {
        "iql": {"normalize_values": False},  # returns are 0 to 1 as they are
        "validation": {"sizes": (4,), "graphs": 64, "every": 10},
    },
)
