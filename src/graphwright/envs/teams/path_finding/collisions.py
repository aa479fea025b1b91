"""Soft collisions: of those that want a cell one gets it, and the others stay where they are."""

from __future__ import annotations

import torch
from torch import Tensor


def settle(team: Tensor, number: Tensor, cell: Tensor, wanted: Tensor) -> Tensor:
    """[D, 2] int64: where robots come to that are in `cell` and want to be in `wanted` [D, 2] of their `team` [D].

    Two that want to change places stay. A cell goes to who stays in it, otherwise to the one of lowest `number` [D],
    different inside a team; the others stay, which may keep others from moving, and so on. A robot follows another that
    moves on. These are the rules of POGEMA's `soft` collision system (Skrynnik et al. 2024).
    """
    width = int(torch.maximum(cell, wanted).max()) + 1 if cell.numel() else 1

    def key(of: Tensor) -> Tensor:
        return (team * width + of[:, 0]) * width + of[:, 1]

    here, there = key(cell), key(wanted)
    cells, place = torch.cat([here, there]).unique(return_inverse=True)
    here, there = place[: here.numel()], place[here.numel() :]
    occupant = torch.full_like(cells, -1).index_copy(0, here, torch.arange(here.numel(), device=cells.device))
    ahead = occupant[there]
    moves = (there != here) & ~((ahead >= 0) & (there[ahead] == here) & (there != here))
    while True:
        stays = torch.zeros_like(cells, dtype=torch.bool).index_fill(0, here[~moves], True)
        first = torch.full_like(cells, torch.iinfo(torch.int64).max)
        first = first.scatter_reduce(0, there[moves], number[moves], "amin")
        going = moves & ~stays[there] & (first[there] == number)
        if torch.equal(going, moves):
            return torch.where(moves.unsqueeze(1), wanted, cell)
        moves = going
