"""Boards of square cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import Segments
from graphwright.core.graph import Columns
from graphwright.envs.generators.topology import Topology

MOST_ROWS = 26
"""As many as there are letters to call columns by."""


@dataclass(frozen=True)
class Board(Topology):
    """A board of n rows, in which each cell is joined to the cells beside it in its row, column and diagonals.

    A size is a number of rows, not of cells. Cells are numbered row by row from the top. Nothing is drawn.

    Node column `position` [N, 2] float32: (column, row), each counted from 0.
    """

    name: ClassVar[str] = "board"

    columns: int = 0
    """Cells in a row; 0: as many as there are rows."""

    def __post_init__(self) -> None:
        """Raise ValueError for a number of columns that no board has."""
        if not 0 <= self.columns <= MOST_ROWS:
            raise ValueError(f"{self.name}: columns={self.columns}; give 1 to {MOST_ROWS}, or 0 for square boards")

    @override
    def check_sizes(self, sizes: Tensor) -> None:
        """Raise ValueError for a number of rows that no board has."""
        check_rows(self.name, sizes)

    @override
    def num_nodes(self, sizes: Tensor) -> Tensor:
        return sizes * (self.columns or sizes)

    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """Edges [2, L] of boards with `num_nodes` [B] cells; see `Topology.edges`."""
        return self.sample(num_nodes, generator)[0]

    @override
    def sample(self, num_nodes: Tensor, generator: torch.Generator) -> tuple[Tensor, Columns]:
        """Edges [2, L] and the column `position`; see `Topology.sample`."""
        cells = Segments.from_lengths(num_nodes)
        width = torch.full_like(num_nodes, self.columns) if self.columns else num_nodes.double().sqrt().round().long()
        place, width, count = cells.position, width[cells.index], num_nodes[cells.index]
        column, row = place % width, place // width
        here = torch.arange(cells.num_rows, device=num_nodes.device)
        pairs = []
        for right, down in ((1, 0), (0, 1), (1, 1), (-1, 1)):
            inside = (column + right >= 0) & (column + right < width) & ((row + down) * width < count)
            pairs.append(torch.stack([here, here + right + down * width])[:, inside])
        return torch.cat(pairs, dim=1), {"position": torch.stack([column, row], dim=1).float()}


def check_rows(name: str, sizes: Tensor) -> None:
    """Raise ValueError for a number of rows `sizes` [B] that no board has."""
    wrong = sizes[(sizes < 1) | (sizes > MOST_ROWS)].tolist()
    if wrong:
        raise ValueError(f"{name}: a board has 1 to {MOST_ROWS} rows, not {wrong[0]}; give another size")
