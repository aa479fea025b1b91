"""Boards of the game of Hex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import Segments
from graphwright.core.graph import Columns
from graphwright.envs.generators.board import check_rows
from graphwright.envs.generators.topology import Topology


@dataclass(frozen=True)
class HexBoard(Topology):
    """A rhombus of n rows of n hexagons, and four nodes for its borders: upper, lower, left and right, each beside the
    cells of its side.

    A size is a number of rows. Cells are numbered row by row from the top, each row half a cell further right; the
    borders come last. Nothing is drawn.

    Node columns `position` [N, 2] float32, the centres of the hexagons in units of their distance; `terminal` [N] bool,
    the upper and the lower border; `dual_terminal` [N] bool, the left and the right one.
    """

    name: ClassVar[str] = "hex-board"

    @override
    def check_sizes(self, sizes: Tensor) -> None:
        """Raise ValueError for a number of rows that no board has."""
        check_rows(self.name, sizes)

    @override
    def num_nodes(self, sizes: Tensor) -> Tensor:
        return sizes * sizes + 4

    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """Edges [2, L] of boards with `num_nodes` [B], the borders among them; see `Topology.edges`."""
        return self.sample(num_nodes, generator)[0]

    @override
    def sample(self, num_nodes: Tensor, generator: torch.Generator) -> tuple[Tensor, Columns]:
        """Edges [2, L] and the columns; see `Topology.sample`."""
        nodes = Segments.from_lengths(num_nodes)
        rows = (num_nodes - 4).double().sqrt().round().long()
        place, rows = nodes.position, rows[nodes.index]
        cell = place < rows * rows
        row, column = place // rows, place % rows
        here = torch.arange(nodes.num_rows, device=num_nodes.device)
        pairs = []
        for right, down in ((1, 0), (0, 1), (-1, 1)):
            inside = cell & (column + right >= 0) & (column + right < rows) & (row + down < rows)
            pairs.append(torch.stack([here, here + right + down * rows])[:, inside])
        upper, border = nodes.ptr[1:][nodes.index] - 4, place - rows * rows
        for number, beside in enumerate((row == 0, row == rows - 1, column == 0, column == rows - 1)):
            pairs.append(torch.stack([here, upper + number])[:, cell & beside])
        position = torch.where(cell, torch.stack([column, row]).double(), _borders(rows, border))
        x, y = position[0] + position[1] / 2, position[1] * 0.75**0.5
        columns = {"terminal": (border == 0) | (border == 1), "dual_terminal": border >= 2}
        return torch.cat(pairs, dim=1), {"position": torch.stack([x, y], dim=1).float(), **columns}


def _borders(rows: Tensor, border: Tensor) -> Tensor:
    """[2, N]: the column and the row at which each of the borders 0 to 3 would stand, beside the middle of its side."""
    middle, after = (rows - 1) / 2, torch.tensor([-1.0, 0.0, -1.25, 0.25], device=rows.device)[border.clamp(min=0)]
    beyond = torch.where(border % 2 == 0, after, after + rows)
    return torch.where(border < 2, torch.stack([middle, beyond]), torch.stack([beyond, middle]))
