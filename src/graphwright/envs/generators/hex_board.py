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
    """A rhombus of n rows of n hexagons, and two nodes for its borders: the upper one beside the first row, the lower
    one beside the last.

    A size is a number of rows. Cells are numbered row by row from the top, each row half a cell further right; the two
    borders come last. Nothing is drawn.

    Node columns `position` [N, 2] float32, the centres of the hexagons in units of their distance, and `terminal` [N]
    bool, the borders.
    """

    name: ClassVar[str] = "hex-board"

    @override
    def check_sizes(self, sizes: Tensor) -> None:
        """Raise ValueError for a number of rows that no board has."""
        check_rows(self.name, sizes)

    @override
    def num_nodes(self, sizes: Tensor) -> Tensor:
        return sizes * sizes + 2

    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """Edges [2, L] of boards with `num_nodes` [B], the borders among them; see `Topology.edges`."""
        return self.sample(num_nodes, generator)[0]

    @override
    def sample(self, num_nodes: Tensor, generator: torch.Generator) -> tuple[Tensor, Columns]:
        """Edges [2, L] and the columns; see `Topology.sample`."""
        nodes = Segments.from_lengths(num_nodes)
        rows = (num_nodes - 2).double().sqrt().round().long()
        place, rows = nodes.position, rows[nodes.index]
        cell = place < rows * rows
        row, column = place // rows, place % rows
        here = torch.arange(nodes.num_rows, device=num_nodes.device)
        pairs = []
        for right, down in ((1, 0), (0, 1), (-1, 1)):
            inside = cell & (column + right >= 0) & (column + right < rows) & (row + down < rows)
            pairs.append(torch.stack([here, here + right + down * rows])[:, inside])
        upper = nodes.ptr[1:][nodes.index] - 2
        for border, beside in ((upper, cell & (row == 0)), (upper + 1, cell & (row == rows - 1))):
            pairs.append(torch.stack([here, border])[:, beside])
        first = place == rows * rows
        x = torch.where(
            cell, column + row / 2, torch.where(first, rows / 2 - 1, rows - 0.5 + (rows - 1) / 2 - rows / 2)
        )
        y = torch.where(cell, row, torch.where(first, -1, rows)) * 0.75**0.5
        return torch.cat(pairs, dim=1), {"position": torch.stack([x, y], dim=1).float(), "terminal": ~cell}
