"""Scripted foragers."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import Segments, segment_argmax, segment_rank, segment_sum
from graphwright.envs.environment import Environment
from graphwright.envs.teams.cells import STEPS
from graphwright.envs.teams.crowd import AGENT, LANDMARK, members
from graphwright.envs.teams.foraging.environment import LOAD, NONE

_FAR = 1 << 20  # steps to what cannot be reached
_TAKEN = 2 * _FAR  # where one that goes first wants to be; rather there than what is not allowed
_NEVER = 3 * _FAR


def together(environment: Environment, state: GraphBatch) -> Tensor:
    """[D] int64: all agents go to the food that is nearest to them all, and load it when they are beside it.

    Each takes a shortest way around food and those that wait beside theirs; of several that want a cell, the nearest
    goes first.
    """
    agents, teams = members(state, AGENT)
    cell = state.nodes["cell"][agents]
    goal = _nearest_to_all(state, cell, teams)[teams.index]
    (legal,) = environment.observe(state).masks
    waits = (cell - goal).abs().sum(1) == 1
    way = _ways(state, goal, cell, waits, teams)
    next_cells = torch.cat([cell.unsqueeze(1), cell.unsqueeze(1) + STEPS.to(cell)], 1)
    far = way[teams.index[:, None], next_cells[..., 0] + 1, next_cells[..., 1] + 1]
    far[:, 1:].masked_fill_(~legal[:, 1:5], _NEVER)
    far[waits, 1:] = _NEVER
    step = _in_turns(far, next_cells, teams)
    return torch.where(waits, torch.where(legal[:, LOAD], LOAD, NONE), step)


def _nearest_to_all(state: GraphBatch, cell: Tensor, teams: Segments) -> Tensor:
    """[B, 2] int64: the food to which all agents of each team, at `cell` [D, 2], have the fewest steps together."""
    food, foods = members(state, LANDMARK)
    at, present = state.nodes["cell"][food], state.nodes["present"][food]
    both, rows = teams.select(foods.index)  # the agents of each food's team
    total = segment_sum((cell[rows] - at[both.index]).abs().sum(1), both)
    choice = segment_argmax(torch.where(present, -total, -_FAR).double(), foods)
    return at[foods.ptr[:-1] + choice.clamp(min=0)]


def _ways(state: GraphBatch, goal: Tensor, cell: Tensor, waits: Tensor, teams: Segments) -> Tensor:
    """[B, S + 2, S + 2] int64: the steps from each cell to one beside the goal, of fields with a wall of one cell."""
    side = state.graphs["side"]
    rows = torch.arange(int(side.max()) + 2 if side.numel() else 2, device=side.device)
    inside = (rows >= 1) & (rows <= side[:, None])
    free = inside[:, :, None] & inside[:, None, :]
    food, foods = members(state, LANDMARK)
    here = state.nodes["present"][food]
    at = state.nodes["cell"][food][here] + 1
    free[foods.index[here], at[:, 0], at[:, 1]] = False
    beside = (goal.unsqueeze(1) + STEPS.to(goal) + 1).flatten(0, 1)
    taken = cell[waits] + 1
    free[teams.index[waits], taken[:, 0], taken[:, 1]] = False
    start = torch.zeros_like(free)
    start[teams.index.repeat_interleave(4), beside[:, 0], beside[:, 1]] = True
    return _steps_from(start & free, free)


def _steps_from(start: Tensor, free: Tensor) -> Tensor:
    """[B, H, W] int64: from cells of `start` to each cell, through those that are `free`; both [B, H, W] bool."""
    way, reached, steps = torch.where(start, 0, _FAR), start, 0
    while True:
        near, steps = reached.clone(), steps + 1
        near[:, 1:] |= reached[:, :-1]
        near[:, :-1] |= reached[:, 1:]
        near[:, :, 1:] |= reached[:, :, :-1]
        near[:, :, :-1] |= reached[:, :, 1:]
        near &= free
        if torch.equal(near, reached):
            return way
        way.masked_fill_(near ^ reached, steps)
        reached = near


def _in_turns(far: Tensor, next_cells: Tensor, teams: Segments) -> Tensor:
    """[D] int64: 0 to stay, or 1 + a direction, whichever of `next_cells` [D, 5, 2] is least `far` [D, 5].

    The nearest of a team chooses first, and nobody a cell that one before it wants.
    """
    place, most = segment_rank(far[:, 0], teams), int(teams.lengths.max()) if teams.num_groups else 0
    wanted = torch.full((teams.num_groups, most, 2), -1, device=far.device)
    chosen = torch.zeros(far.shape[0], dtype=torch.int64, device=far.device)
    for turn in range(most):
        now = (place == turn).nonzero().squeeze(1)
        team = teams.index[now]
        taken = (next_cells[now][:, :, None] == wanted[team][:, None]).all(3).any(2)
        chosen[now] = far[now].masked_fill(taken & (far[now] < _NEVER), _TAKEN).argmin(1)
        wanted[team, turn] = next_cells[now, chosen[now]]
    return chosen
