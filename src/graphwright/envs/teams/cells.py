"""Grids of cells: steps between them, what is seen across them, and who wants to be where."""

from __future__ import annotations

import torch
from torch import Tensor

NORTH, SOUTH, WEST, EAST = range(4)
STEPS = torch.tensor([[-1, 0], [1, 0], [0, -1], [0, 1]])
"""[4, 2]: rows and columns of a step north, south, west, east."""

SIGHT = {"relative": 2, "toward": 4, "near": 1, "beside": 1}
"""Edge columns of `sight` and their widths."""


def sight(offset: Tensor) -> dict[str, Tensor]:
    """Where the source of each edge is, as its destination sees it, from the rows and columns between [E, 2] int64.

    `relative` [E, 2] in steps of 4 cells; `toward` [E, 4] bool, whether that is north, west, south, east; `near` [E],
    exp(-d / 2) of the d steps to it; `beside` [E] bool, whether it is one step.
    """
    steps = offset.abs().sum(1)
    toward = torch.cat([offset < 0, offset > 0], 1)
    return {"relative": offset.float() / 4, "toward": toward, "near": (-steps / 2.0).exp(), "beside": steps == 1}


def crowding(team: Tensor, cell: Tensor) -> Tensor:
    """[D] int64: how many of the same `team` [D] name the same `cell` [D, 2] as each."""
    width = int(cell.max()) + 2 if cell.numel() else 1
    key = (team * width + cell[:, 0] + 1) * width + cell[:, 1] + 1
    _, place, count = key.unique(return_inverse=True, return_counts=True)
    return count[place]
