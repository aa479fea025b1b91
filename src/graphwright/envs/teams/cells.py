"""Grids of cells: steps between them, and who wants to be where."""

from __future__ import annotations

import torch
from torch import Tensor

NORTH, SOUTH, WEST, EAST = range(4)
STEPS = torch.tensor([[-1, 0], [1, 0], [0, -1], [0, 1]])
"""[4, 2]: rows and columns of a step north, south, west, east."""


def crowding(team: Tensor, cell: Tensor) -> Tensor:
    """[D] int64: how many of the same `team` [D] name the same `cell` [D, 2] as each."""
    width = int(cell.max()) + 2 if cell.numel() else 1
    key = (team * width + cell[:, 0] + 1) * width + cell[:, 1] + 1
    _, place, count = key.unique(return_inverse=True, return_counts=True)
    return count[place]
