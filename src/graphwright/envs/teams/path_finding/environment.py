"""Multi-robot path finding on grids, one target a robot, or one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_decider
from graphwright.core.numbers import require
from graphwright.core.segment import segment_sum
from graphwright.envs.randomness import node_streams, uniform
from graphwright.envs.team import Team
from graphwright.envs.teams.path_finding.collisions import settle
from graphwright.envs.teams.path_finding.neighbours import neighbours
from graphwright.envs.teams.path_finding.preference import MOST, preferences
from graphwright.envs.teams.path_finding.priority import lots
from graphwright.envs.teams.path_finding.views import WIDTH, views
from graphwright.envs.teams.path_finding.ways import MOVES, distances, other_cells


@dataclass(frozen=True)
class PathFinding(Team):
    """Robots on a grid with obstacles, with the rules of POGEMA (Skrynnik et al. 2025, "POGEMA: a benchmark platform
    for cooperative multi-agent pathfinding").

    Instance: a node a robot, no edges; node columns `start`, `goal` [N, 2] int64, cells that can be reached from each
        other, and `number` [N] int64, who goes first; graph columns `map` [B, S, S] uint8, 1 where there is an
        obstacle, and `seed` [B] int64.
    State: adds the node columns `cell`, `target` [N, 2] int64, `reached` [N] int64, how many targets, and `waited` [N]
        int64, steps since the last one; the graph column `time` [B] int64.
    Observation: per node the 11 x 11 cells around it (`views`), row by row: `walls`, `others`, `goals` of others, and
        `way`, how much farther from the own target a cell is than the robot; `target`, its direction and the steps to
        it, as w / (w + 11); `order` [25], of each move whether it would be the robot's first choice, second, and so on
        (`preferences`); `lot` (`lots`). Edges between robots at most 2 steps apart, see `neighbours`.
    Action: of each robot, nothing, or a step up, down, left or right onto a cell without an obstacle.
    Dynamics: soft collisions (`settle`). `lifelong`: a robot at its target gets another one, uniform among the cells
        that it can reach, by a hash of `seed`, `number` and how many it has had.
    Reward: of each robot, 1 where it has come to its target (once, unless `lifelong`), and `progress` times how many
        steps nearer it came.
    Termination: all robots are at their targets at once, unless `lifelong`. Truncation: after `steps`.
    """

    lifelong: bool = True
    """Whether a robot at its target gets another one; otherwise it stays in the way of others."""
    steps: int = 256
    """An episode is cut short after so many steps."""
    progress: float = 0.1
    """Reward of a step nearer to the target."""

    features = Features(
        nodes={
            "walls": WIDTH**2,
            "others": WIDTH**2,
            "goals": WIDTH**2,
            "way": WIDTH**2,
            "target": 3,
            "order": 25,
            "lot": 1,
        },
        edges={"relative": 2, "yields": 2, "wants": 25, "ahead": 5},
    )
    actions = ActionSpec(per_decider("move", 5), decider="nodes")
    own_reward = True

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where no step could be taken."""
        require("environment.steps", self.steps)

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        zero = torch.zeros_like(instances.nodes["number"])
        time = torch.zeros_like(instances.graphs["seed"])
        start, goal = instances.nodes["start"], instances.nodes["goal"]
        return instances.with_nodes(cell=start, target=goal, reached=zero, waited=zero).with_graphs(time=time)

    @override
    def observe(self, state: GraphBatch) -> Observation:
        cell, target = state.nodes["cell"], state.nodes["target"]
        away = distances(state.graphs["map"], state.node_graph, target)
        lot, (_, ranks) = lots(state), preferences(state, away)
        row = torch.arange(state.num_nodes, device=state.device)
        here = away[row, cell[:, 0], cell[:, 1]].float().unsqueeze(1)
        offset = (target - cell).float()
        straight = offset / offset.norm(dim=1, keepdim=True).clamp(min=1)
        graph = neighbours(state, lot, ranks).with_nodes(
            **views(state, away),
            target=torch.cat([straight, here / (here + WIDTH)], 1),
            order=(ranks.unsqueeze(2) == torch.arange(5, device=state.device)).flatten(1).float(),
            lot=lot.float(),
        )
        return Observation(graph, (ranks < MOST,))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        team, cell, target = state.node_graph, state.nodes["cell"], state.nodes["target"]
        maps = state.graphs["map"]
        moved = settle(team, state.nodes["number"], cell, cell + MOVES.to(cell)[action])
        away, row = distances(maps, team, target), torch.arange(team.numel(), device=state.device)
        nearer = (away[row, cell[:, 0], cell[:, 1]] - away[row, moved[:, 0], moved[:, 1]]).float()
        there = (moved == target).all(1)
        first = there if self.lifelong else there & (state.nodes["reached"] == 0)
        reached = state.nodes["reached"] + first
        time = state.graphs["time"] + 1
        following = state.with_nodes(
            cell=moved,
            target=self._next_targets(state, moved, there, reached),
            reached=reached,
            waited=torch.where(first, 0, state.nodes["waited"] + 1),
        ).with_graphs(time=time)
        done = torch.zeros_like(time, dtype=torch.bool)
        if not self.lifelong:
            done = segment_sum(~there, state.node_segments) == 0
        return Step(following, first + self.progress * nearer, done, (time >= self.steps) & ~done)

    def _next_targets(self, state: GraphBatch, cell: Tensor, there: Tensor, reached: Tensor) -> Tensor:
        target = state.nodes["target"]
        rows = there.nonzero().squeeze(1)
        if not self.lifelong or not rows.numel():
            return target
        uniforms = uniform(node_streams(state)[rows], reached[rows], 0)
        fresh = other_cells(state.graphs["map"], state.node_graph[rows], cell[rows], uniforms)
        return target.index_copy(0, rows, fresh)

    @override
    def measures(self, state: GraphBatch) -> Mapping[str, Tensor]:
        """`throughput`, targets reached in a step, of lifelong teams; `success`, all at their targets, and the share
        `arrived` of others."""
        if self.lifelong:
            reached = segment_sum(state.nodes["reached"], state.node_segments).double()
            return {"throughput": reached / state.graphs["time"].clamp(min=1)}
        there = segment_sum((state.nodes["cell"] == state.nodes["target"]).all(1), state.node_segments).double()
        robots = state.node_segments.lengths
        return {"success": (there == robots).double(), "arrived": there / robots.clamp(min=1)}

    @property
    @override
    def shares(self) -> frozenset[str]:
        return frozenset() if self.lifelong else frozenset({"arrived"})

    @override
    def scene(self, instances: GraphBatch) -> Mapping[str, Tensor]:
        return {"map": instances.graphs["map"]}

    @override
    def snapshot(self, state: GraphBatch) -> Mapping[str, Tensor]:
        shape = state.num_graphs, -1
        return {
            "cells": state.nodes["cell"].unflatten(0, shape),
            "targets": state.nodes["target"].unflatten(0, shape),
        }
