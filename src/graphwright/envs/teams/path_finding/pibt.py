"""Priority inheritance with backtracking: one step at a time, whoever is in the way of another moves on first."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.envs.environment import Environment
from graphwright.envs.teams.path_finding.preference import preferences
from graphwright.envs.teams.path_finding.priority import lots
from graphwright.envs.teams.path_finding.ways import MOVES, distances


def pibt(environment: Environment, state: GraphBatch) -> Tensor:
    """[D] int64: steps that never collide (Okumura, Machida, Défago & Tamura 2022, "Priority inheritance with
    backtracking for iterative multi-agent path finding").

    Who has drawn the larger lot goes first; those that stand in its way inherit its priority. Each takes the best of
    its `preferences` that is left. Published robots keep the priority of the time that they have waited; see `lots`.
    """
    away = distances(state.graphs["map"], state.node_graph, state.nodes["target"])
    order = torch.argsort(2 * state.node_graph - lots(state))
    action = torch.zeros(state.num_nodes, dtype=torch.int64)
    given = (state.graphs["map"], state.node_ptr, order, state.nodes["cell"], preferences(state, away)[0])
    _inherit(*arrays(*(each.cpu() for each in given), MOVES, action))
    return action.to(state.device)


@jit_as_written
def _inherit(maps, ptr, order, cell, options, moves, action):  # type: ignore[no-untyped-def]
    """Fill `action`. The calls of the published recursion are a stack of robots, each pushed by the one below it."""
    height, width = maps.shape[1], maps.shape[2]
    robots = cell.shape[0]
    there = np.full(robots, -1, np.int64)  # where each goes
    tried = np.zeros(robots, np.int64)
    stack = np.empty(robots, np.int64)
    for graph in range(ptr.shape[0] - 1):
        now = np.full(height * width, -1, np.int64)
        after = np.full(height * width, -1, np.int64)
        for robot in range(ptr[graph], ptr[graph + 1]):
            now[cell[robot, 0] * width + cell[robot, 1]] = robot
        for place in range(ptr[graph], ptr[graph + 1]):
            if there[order[place]] >= 0:
                continue
            stack[0] = order[place]
            size = 1
            while size > 0:
                robot = stack[size - 1]
                home = cell[robot, 0] * width + cell[robot, 1]
                if tried[robot] == 5:  # boxed in: it stays, and who pushes it looks elsewhere
                    there[robot] = home
                    after[home] = robot
                    size -= 1
                    if size > 0:
                        there[stack[size - 1]] = -1
                    continue
                choice = options[robot, tried[robot]]
                tried[robot] += 1
                if choice < 0:
                    continue
                to = home + moves[choice, 0] * width + moves[choice, 1]
                if after[to] >= 0:
                    continue
                if size > 1:
                    pusher = stack[size - 2]
                    if to == cell[pusher, 0] * width + cell[pusher, 1]:
                        continue
                there[robot], after[to] = to, robot
                other = now[to]
                if other >= 0 and other != robot and there[other] < 0:
                    stack[size] = other
                    size += 1
                else:
                    size = 0
        for robot in range(ptr[graph], ptr[graph + 1]):
            home = cell[robot, 0] * width + cell[robot, 1]
            for choice in range(5):
                if home + moves[choice, 0] * width + moves[choice, 1] == there[robot]:
                    action[robot] = choice
