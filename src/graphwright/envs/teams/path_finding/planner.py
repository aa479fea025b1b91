"""Scripted robots: prioritised planning in time-expanded grids, and each for itself."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.envs.environment import Environment
from graphwright.envs.teams.path_finding.ways import FAR, MOVES, distances

_AHEAD = 12  # steps that are planned


def planned(environment: Environment, state: GraphBatch) -> Tensor:
    """[D] int64: the first steps of plans that are made one robot after the other, none crossing an earlier one.

    Each plan is the way through the next 12 steps, in cells and time, whose distances from the target are least
    together. Who has waited longest for a target plans first (Silver 2005, "Cooperative pathfinding", in a window).
    """
    segments, nodes = state.node_segments, state.nodes
    away = distances(state.graphs["map"], state.node_graph, nodes["target"])
    longest = int(nodes["waited"].max()) + 1 if state.num_nodes else 1
    urgency = (state.node_graph * longest + longest - 1 - nodes["waited"]) * (state.num_nodes + 1) + nodes["number"]
    order = torch.argsort(urgency)
    action = torch.zeros(state.num_nodes, dtype=torch.int64)
    maps, ptr = state.graphs["map"], segments.ptr
    _plan(*arrays(*(each.cpu() for each in (maps, ptr, order, nodes["cell"], away)), MOVES, action), _AHEAD)
    return action.to(state.device)


def shortest(environment: Environment, state: GraphBatch) -> Tensor:
    """[D] int64: each robot takes a shortest way to its target, as if it were alone."""
    away = distances(state.graphs["map"], state.node_graph, state.nodes["target"]).float()
    maps = torch.nn.functional.pad(away, (1, 1, 1, 1), value=FAR)
    after = state.nodes["cell"].unsqueeze(1) + MOVES.to(state.device) + 1
    row = torch.arange(state.num_nodes, device=state.device).unsqueeze(1)
    return maps[row, after[..., 0], after[..., 1]].argmin(1)


@jit_as_written
def _plan(maps, ptr, order, cell, away, moves, action, ahead):  # type: ignore[no-untyped-def]
    """Fill `action`, one robot after the other."""
    cells = maps.shape[1] * maps.shape[2]
    for graph in range(ptr.shape[0] - 1):
        taken = np.full((ahead + 1, cells), -1, np.int64)  # who is where, and came from where
        origin = np.full((ahead + 1, cells), -1, np.int64)
        for place in range(ptr[graph], ptr[graph + 1]):
            robot = order[place]
            start = cell[robot, 0] * maps.shape[2] + cell[robot, 1]
            came, goal = _way(maps[graph], start, away[robot], moves, ahead, taken, origin)
            if goal >= 0:
                action[robot] = _reserve(robot, goal, came, maps.shape[2], moves, taken, origin)
            elif taken[1, start] < 0:  # boxed in: stay, and be seen there in the next step
                taken[1, start], origin[1, start] = robot, start


@jit_as_written
def _way(walls, start, away, moves, ahead, taken, origin):  # type: ignore[no-untyped-def]
    """Layer by layer of time, the least sum of distances to each cell that no earlier plan is in.

    From where one comes to each cell [ahead + 1, cells], and the best of the last; -1 where no way leads on.
    """
    height, width = walls.shape
    cells = height * width
    cost, came = np.full((ahead + 1, cells), np.int64(1) << 40), np.full((ahead + 1, cells), -1, np.int64)
    cost[0, start] = 0
    frontier, size = np.empty(cells, np.int64), 1
    frontier[0] = start
    for time in range(ahead):
        following, count = np.empty(cells, np.int64), 0
        for index in range(size):
            at = frontier[index]
            row, column = at // width, at % width
            for choice in range(5):
                r, c = row + moves[choice, 0], column + moves[choice, 1]
                if not (0 <= r < height and 0 <= c < width) or walls[r, c] != 0:
                    continue
                to = r * width + c
                if taken[time + 1, to] >= 0 or (taken[time + 1, at] >= 0 and origin[time + 1, at] == to):
                    continue
                total = cost[time, at] + away[r, c]
                if total < cost[time + 1, to]:
                    if came[time + 1, to] < 0:
                        following[count] = to
                        count += 1
                    cost[time + 1, to], came[time + 1, to] = total, at
        frontier, size = following, count
    best = -1
    for index in range(size):
        if best < 0 or cost[ahead, frontier[index]] < cost[ahead, best]:
            best = frontier[index]
    return came, best


@jit_as_written
def _reserve(robot, goal, came, width, moves, taken, origin):  # type: ignore[no-untyped-def]
    """Take the cells of the way to `goal` for a robot; its first step."""
    at, after = goal, goal
    for time in range(came.shape[0] - 1, 0, -1):
        before = came[time, at]
        taken[time, at], origin[time, at] = robot, before
        at, after = before, at
    first = 0
    for choice in range(5):
        if at + moves[choice, 0] * width + moves[choice, 1] == after:
            first = choice
    return first
