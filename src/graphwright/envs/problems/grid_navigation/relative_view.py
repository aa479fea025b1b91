"""What a robot knows of a grid: the features of grid navigation, relative to where it is."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.problems.grid_navigation.patrol import advance, meets


def relative_view(state: GraphBatch) -> GraphBatch:
    """`state` with these node columns; a length L of columns or rows is seen as sign(L) log(1 + |L|).

    robot, goal, wall: bool. visits: log(1 + how often the robot has been there, or stayed).
    heading: [4] bool, whether an obstacle is there and heads north, east, south, west.
    blocked_next: bool, whether one will be there after this step.
    danger: bool, whether the robot runs into one if it goes there now, or stays there.
    side: [4] bool, whether the cell is the one north, east, south, west of the robot, and no wall.
    from_robot, to_goal: [2] float32, columns and rows from the robot to the cell, and from the cell to the goal.
    farther: how many more steps than from the robot lead to the goal without obstacles; 0 where none do.

    And, since one pooled embedding has to hold what each action does, with these graph columns: open_sides [4] bool,
    danger_of, visits_to and farther_from [5] float32, what `side`, `danger`, `visits` and `farther` say of the cells
    north, east, south, west of the robot and of its own; ahead [2], `to_goal` of the robot.
    """
    robot, position = state.nodes["robot"], state.nodes["position"]
    following = advance(state, state.nodes["heading"])
    leaving = robot[state.edge_index[0]].nonzero().squeeze(1)
    near = state.edge_index[1, leaving]
    blocked = following.any(1)
    danger = robot & blocked
    danger[near[meets(state, following)[leaving]]] = True
    side = torch.zeros_like(state.nodes["heading"])
    side[near] = state.edges["direction"][leaving]
    visits = state.nodes["visits"].float().log1p()
    to_goal = _shrunk(position[state.nodes["goal"]][state.node_graph] - position)
    left = state.nodes["left"]
    farther = _shrunk(torch.where(left < 0, 0, left - left[robot][state.node_graph]).float())
    around = _around(state, leaving, torch.stack([danger.float(), visits, farther], dim=1))
    return state.with_nodes(
        visits=visits,
        blocked_next=blocked,
        danger=danger,
        side=side,
        from_robot=_shrunk(position - position[robot][state.node_graph]),
        to_goal=to_goal,
        farther=farther,
    ).with_graphs(
        open_sides=state.nodes["open"][robot],
        danger_of=around[..., 0],
        visits_to=around[..., 1],
        farther_from=around[..., 2],
        ahead=to_goal[robot],
    )


def _around(state: GraphBatch, leaving: Tensor, values: Tensor) -> Tensor:
    """[B, 5, D]: `values` [N, D] of the cells to which the edges `leaving` each robot lead, or 0, and of its own."""
    around = values.new_zeros(state.num_graphs, 5, values.shape[1])
    direction = state.edges["direction"][leaving].int().argmax(1)
    around[state.edge_graph[leaving], direction] = values[state.edge_index[1, leaving]]
    around[:, 4] = values[state.nodes["robot"]]
    return around


def _shrunk(length: Tensor) -> Tensor:
    return length.sign() * length.abs().log1p()
