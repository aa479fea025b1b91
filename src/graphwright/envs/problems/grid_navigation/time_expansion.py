"""The fewest steps among moving obstacles, with a proof."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Optimum
from graphwright.envs.problems.grid_navigation.one_step_ahead import STAY
from graphwright.envs.problems.grid_navigation.patrol import advance, meets
from graphwright.envs.rollouts import carry_out


def fewest_steps(environment: Optimization, instances: GraphBatch) -> Optimum:
    """The fewest steps from start to goal, and the states at the ends of such drives.

    Breadth-first search in the time-expanded graph, whose nodes are a cell and a time: obstacles move as they do
    whatever the robot does. Where the goal cannot be reached in time, the optimum is the limit, the cost of failure,
    and the solution is that of a robot which never leaves its start. All optima are proven.
    """
    state = environment.reset(instances)
    limit = environment.objective(state.with_graphs(crashed=torch.ones_like(state.graphs["crashed"])))
    goal = state.nodes["goal"].nonzero().squeeze(1)
    reached, heading = state.nodes["robot"], state.nodes["heading"]
    arrival = torch.where(reached[goal], 0, limit.new_full(limit.shape, -1).long())
    came_from: list[Tensor] = []
    for time in range(1, int(max(limit.tolist(), default=0)) + 1):
        if bool((arrival >= 0).all()):
            break
        heading = advance(state, heading)
        reached, origin = _spread(state, reached, heading)
        came_from.append(origin)
        now = reached[goal] & (arrival < 0) & (time <= limit)
        arrival = torch.where(now, time, arrival)
    failed = arrival < 0
    objective = torch.where(failed, limit, arrival.double())
    moves = _moves(state, goal, arrival, came_from)
    moves[:, failed] = STAY
    return Optimum(objective, objective, torch.ones_like(failed), carry_out(environment, instances, moves))


def _spread(state: GraphBatch, reached: Tensor, following: Tensor) -> tuple[Tensor, Tensor]:
    """The cells [N] bool where a robot can be one step after `reached` [N] bool, and from which cell it came [N]."""
    source, destination = state.edge_index
    origin = torch.where(reached & ~following.any(1), torch.arange(state.num_nodes, device=state.device), -1)
    free = reached[source] & ~meets(state, following)
    origin[destination[free]] = source[free]
    return origin >= 0, origin


def _moves(state: GraphBatch, end: Tensor, arrival: Tensor, came_from: list[Tensor]) -> Tensor:
    """[T, B] int64: the actions of robots that are at `end` [B] after `arrival` [B] steps, -1 after it."""
    moves = torch.full((len(came_from), end.numel()), -1, device=end.device)
    number = {sides: direction for direction, sides in enumerate([(0, 1), (1, 0), (0, -1), (-1, 0), (0, 0)])}
    position, node = state.nodes["position"].long(), end
    for time in range(len(came_from), 0, -1):
        driving = arrival >= time
        before = torch.where(driving, came_from[time - 1][node], node)
        sides = (position[node] - position[before]).tolist()
        taken = torch.tensor([number[column, row] for column, row in sides], device=end.device)
        moves[time - 1] = torch.where(driving, taken, -1)
        node = before
    return moves
