"""The fewest steps among moving obstacles, with a proof."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Optimum
from graphwright.envs.problems.grid_navigation.patrol import advance, meets


def fewest_steps(environment: Optimization, instances: GraphBatch) -> Optimum:
    """The fewest steps from start to goal, and the states at the ends of such drives.

    Breadth-first search in the time-expanded graph, whose nodes are a cell and a time: obstacles move as they do
    whatever the robot does. Where the goal cannot be reached in time, the optimum is the limit, the cost of failure,
    and the solution is that of a robot which never left its start. All optima are proven.
    """
    state = environment.reset(instances)
    limit = environment.objective(state.with_graphs(crashed=torch.ones_like(state.graphs["crashed"])))
    goal = state.nodes["goal"].nonzero().squeeze(1)
    reached, heading = state.nodes["robot"], state.nodes["heading"]
    arrival = torch.where(reached[goal], 0, limit.new_full(limit.shape, -1).long())
    came_from: list[Tensor] = []
    final = heading
    for time in range(1, int(max(limit.tolist(), default=0)) + 1):
        if bool((arrival >= 0).all()):
            break
        heading = advance(state, heading)
        reached, origin = _spread(state, reached, heading)
        came_from.append(origin)
        now = reached[goal] & (arrival < 0) & (time <= limit)
        arrival = torch.where(now, time, arrival)
        final = torch.where(now[state.node_graph].unsqueeze(1), heading, final)
    failed = arrival < 0
    objective = torch.where(failed, limit, arrival.double())
    solution = _drive(state, torch.where(failed, state.nodes["start"].nonzero().squeeze(1), goal), arrival, came_from)
    solution = solution.with_nodes(heading=final).with_graphs(steps=objective.to(torch.int32))
    return Optimum(objective, objective, torch.ones_like(failed), solution)


def _spread(state: GraphBatch, reached: Tensor, following: Tensor) -> tuple[Tensor, Tensor]:
    """The cells [N] bool where a robot can be one step after `reached` [N] bool, and from which cell it came [N]."""
    source, destination = state.edge_index
    origin = torch.where(reached & ~following.any(1), torch.arange(state.num_nodes, device=state.device), -1)
    free = reached[source] & ~meets(state, following)
    origin[destination[free]] = source[free]
    return origin >= 0, origin


def _drive(state: GraphBatch, end: Tensor, arrival: Tensor, came_from: list[Tensor]) -> GraphBatch:
    """The states of robots that are at `end` [B] after `arrival` [B] steps, traced back through `came_from`."""
    robot = torch.zeros_like(state.nodes["robot"])
    robot[end] = True
    found = torch.full_like(state.nodes["found"], -1)
    visits = torch.zeros_like(found)
    node = end
    for time in range(len(came_from), 0, -1):
        driving = arrival >= time
        found[node[driving]] = time
        visits[node[driving]] += 1
        node = torch.where(driving, came_from[time - 1][node], node)
    found[node] = 0
    visits[node] += 1
    return state.with_nodes(robot=robot, found=found, visits=visits)
