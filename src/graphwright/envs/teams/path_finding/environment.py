"""Multi-robot path finding on grids, one target a robot, or one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step, per_decider
from graphwright.core.segment import Segments, segment_sum
from graphwright.envs.randomness import node_streams, uniform
from graphwright.envs.team import Team
from graphwright.envs.teams.path_finding.claims import claims
from graphwright.envs.teams.path_finding.collisions import settle
from graphwright.envs.teams.path_finding.priority import urgency, yields
from graphwright.envs.teams.path_finding.ways import FAR, MOVES, distances, other_cells

RADIUS = 5
"""Robots see 11 x 11 cells."""
_WIDTH = 2 * RADIUS + 1


@dataclass(frozen=True)
class PathFinding(Team):
    """Robots on a grid with obstacles, with the rules of POGEMA (Skrynnik et al. 2025, "POGEMA: a benchmark platform
    for cooperative multi-agent pathfinding").

    Instance: a node a robot, no edges; node columns `start`, `goal` [N, 2] int64, cells that can be reached from each
        other, and `number` [N] int64, who goes first; graph columns `map` [B, S, S] uint8, 1 where there is an
        obstacle, and `seed` [B] int64.
    State: adds the node columns `cell`, `target` [N, 2] int64, `reached` [N] int64, how many targets, and `waited` [N]
        int64, steps since the last one; the graph column `time` [B] int64.
    Observation: per node the 11 x 11 cells around it, row by row: `walls`, `others`, `goals` of others, and `way`, how
        much farther from the own target a cell is than the robot, in units of 11 steps, from -1 to 1, 1 where there is
        no way; `gain` [4], how much nearer each move leads; `target`, its direction and distance over that; `urgency`,
        w / (w + 11) of the steps w that it has waited for a target; `claims` [20], who is in the cells that it may go
        to, and who wants to be. Edges between robots that see each other, with `relative`, where the source is seen
        from the end, in units of 5 cells; `near`, 1 over the steps between them;
        and `yields`, whether the end goes after the source, as who has waited longer, and as collisions are settled.
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
            "walls": _WIDTH**2,
            "others": _WIDTH**2,
            "goals": _WIDTH**2,
            "way": _WIDTH**2,
            "gain": 4,
            "target": 3,
            "urgency": 1,
        },
        edges={"relative": 2, "near": 1, "yields": 2},
    )
    actions = ActionSpec(per_decider("move", 5), decider="nodes")
    own_reward = True

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where no step could be taken."""
        if self.steps < 1:
            raise ValueError(f"--environment.steps {self.steps}: give at least 1")

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        zero = torch.zeros_like(instances.nodes["number"])
        time = torch.zeros_like(instances.graphs["seed"])
        start, goal = instances.nodes["start"], instances.nodes["goal"]
        return instances.with_nodes(cell=start, target=goal, reached=zero, waited=zero).with_graphs(time=time)

    @override
    def observe(self, state: GraphBatch) -> Observation:
        maps, team = _walled(state), state.node_graph
        cell, target = state.nodes["cell"] + RADIUS, state.nodes["target"] + RADIUS
        away = distances(maps, team, target)
        row = torch.arange(team.numel(), device=state.device)
        around = cell.unsqueeze(1) + _SQUARE.to(cell)
        r, c = around.unbind(2)
        taken, wanted = (_marked(maps, team, at) for at in (cell, target))
        own = (around == target.unsqueeze(1)).all(2)
        centre = _WIDTH**2 // 2
        others = taken[team[:, None], r, c].clone()
        others[:, centre] -= 1
        here = away[row, cell[:, 0], cell[:, 1]].unsqueeze(1)
        near = away[row[:, None], r, c]
        way = torch.where(near == FAR, 1.0, (near.float() - here).div(_WIDTH).clamp(-1, 1))
        beside = cell.unsqueeze(1) + MOVES[1:].to(cell)
        after = away[row[:, None], beside[..., 0], beside[..., 1]]
        free = maps[team[:, None], beside[..., 0], beside[..., 1]] == 0
        offset = (target - cell).float()
        length = offset.norm(dim=1, keepdim=True)
        gain = torch.where(free & (after < FAR), (here - after).float(), -1.0)
        urgent, (seen, apart) = urgency(state).float(), _in_sight(state)
        first = seen.edges["yields"][:, 0] > 0
        graph = seen.with_nodes(
            walls=maps[team[:, None], r, c],
            others=others,
            goals=wanted[team[:, None], r, c] - own.to(wanted.dtype),
            way=way,
            gain=gain,
            target=torch.cat([offset / length.clamp(min=1), here / (here + _WIDTH)], 1),
            urgency=urgent / (urgent + _WIDTH),
            claims=claims(state.num_nodes, seen.edge_index, apart, first, gain),
        )
        return Observation(graph, (torch.cat([torch.ones_like(free[:, :1]), free], 1),))

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        team, cell, target = state.node_graph, state.nodes["cell"], state.nodes["target"]
        maps = state.graphs["map"]
        moved = settle(team, state.nodes["number"], cell, cell + MOVES.to(cell)[action])
        away = distances(maps, team, target).float()
        row = torch.arange(team.numel(), device=state.device)
        nearer = away[row, cell[:, 0], cell[:, 1]] - away[row, moved[:, 0], moved[:, 1]]
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


_LINE = torch.arange(-RADIUS, RADIUS + 1)
_SQUARE = torch.cartesian_prod(_LINE, _LINE)
"""[121, 2]: the cells around one, row by row."""


def _walled(state: GraphBatch) -> Tensor:
    """[B, S + 10, S + 10] uint8: the maps with as much wall around as robots see."""
    return torch.nn.functional.pad(state.graphs["map"], (RADIUS,) * 4, value=1)


def _marked(maps: Tensor, team: Tensor, cell: Tensor) -> Tensor:
    """[B, S, S] int16: how often each cell is named."""
    marked = torch.zeros_like(maps, dtype=torch.int16)
    return marked.index_put((team, cell[:, 0], cell[:, 1]), torch.ones_like(team, dtype=torch.int16), accumulate=True)


def _in_sight(state: GraphBatch) -> tuple[GraphBatch, Tensor]:
    """The robots with an edge from each to every other whose view it is in, and the cells between them [E, 2] int64."""
    sizes, cell = state.node_segments.lengths, state.nodes["cell"]
    pairs = Segments.from_lengths(sizes * sizes)
    size, begin = sizes[pairs.index], state.node_ptr[:-1][pairs.index]
    end, source = begin + pairs.position // size, begin + pairs.position % size
    offset = cell[source] - cell[end]
    rows = ((offset.abs().amax(1) <= RADIUS) & (source != end)).nonzero().squeeze(1)
    edges = Segments.from_lengths(torch.bincount(pairs.index[rows], minlength=state.num_graphs))
    source, end, offset = source[rows], end[rows], offset[rows]
    graph = GraphBatch.trusted(
        torch.stack([source, end]),
        state.node_segments,
        edges,
        edges={
            "relative": offset / RADIUS,
            "near": 1 / offset.abs().sum(1),
            "yields": yields(state, source, end),
        },
    )
    return graph, offset
