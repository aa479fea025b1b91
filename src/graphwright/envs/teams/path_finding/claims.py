"""Who is in the cells that a robot may go to, and who wants to go there."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.envs.teams.path_finding.ways import MOVES

COLUMNS = 20


def claims(num_robots: int, edge_index: Tensor, offset: Tensor, first: Tensor, gain: Tensor) -> Tensor:
    """[N, 20] float32: of a robot's own cell and the four beside it, how many others are there, and want to be.

    edge_index: [2, E], each edge from another robot to one that sees it; offset: [E, 2] int64, the cells between them;
    first: [E] bool, whether the other goes first; gain: [N, 4], how much nearer to its target each move leads a robot,
    which wants all cells that are nearer. Columns: those that are there and go first, want it and go first, are there
    and go later, want it and go later, five each.
    """
    moves = MOVES.to(offset)
    close = (offset.abs().sum(1) <= 2).nonzero().squeeze(1)  # others can neither be nor get there
    (source, end), offset, first = edge_index[:, close], offset[close], first[close].unsqueeze(1)
    there = (offset.unsqueeze(1) == moves).all(2)
    ahead = offset.unsqueeze(1) + moves[1:]
    wanted = ((ahead.unsqueeze(2) == moves).all(3) & (gain[source] > 0).unsqueeze(2)).any(1)
    marks = torch.cat([there & first, wanted & first, there & ~first, wanted & ~first], 1).float()
    return marks.new_zeros(num_robots, COLUMNS).index_add(0, end, marks)
