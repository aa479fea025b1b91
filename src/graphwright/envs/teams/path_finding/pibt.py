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
    """Fill `action`."""
    width = maps.shape[2]
    home = cell[:, 0] * width + cell[:, 1]
    steps = moves[:, 0] * width + moves[:, 1]
    there, tried = np.full(home.size, -1, np.int64), np.zeros(home.size, np.int64)
    stack = np.empty(home.size, np.int64)
    for graph in range(ptr.shape[0] - 1):
        now, after = np.full((2, maps.shape[1] * width), -1, np.int64)
        for robot in range(ptr[graph], ptr[graph + 1]):
            now[home[robot]] = robot
        for place in range(ptr[graph], ptr[graph + 1]):
            if there[order[place]] < 0:
                _send(order[place], home, options, steps, now, after, there, tried, stack)
        for robot in range(ptr[graph], ptr[graph + 1]):
            for choice in range(5):
                if home[robot] + steps[choice] == there[robot]:
                    action[robot] = choice


@jit_as_written
def _send(robot, home, options, steps, now, after, there, tried, stack):  # type: ignore[no-untyped-def]
    """Let a robot, and those that stand in its way, choose where they go.

    The calls of the published recursion are a stack of robots, each pushed by the one below it. home, there: [N] cells,
    where each is, and goes; now, after: who is in each cell; tried: [N], how many options of each were looked at.
    """
    stack[0], size = robot, 1
    while size > 0:
        robot = stack[size - 1]
        pusher = stack[size - 2] if size > 1 else -1
        if tried[robot] == 5:  # boxed in: it stays, and who pushes it looks elsewhere
            there[robot], after[home[robot]] = home[robot], robot
            if pusher >= 0:
                there[pusher] = -1
            size -= 1
            continue
        choice = options[robot, tried[robot]]
        tried[robot] += 1
        if choice < 0:
            continue
        to = home[robot] + steps[choice]
        if after[to] >= 0 or (pusher >= 0 and to == home[pusher]):
            continue
        there[robot], after[to] = to, robot
        other = now[to]
        if other < 0 or other == robot or there[other] >= 0:
            return
        stack[size] = other
        size += 1
