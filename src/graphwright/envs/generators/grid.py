"""Rectangular grids."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graphwright.core import Segments
from graphwright.core.graph import Columns
from graphwright.envs.generators.topology import Topology


@dataclass(frozen=True)
class Grid(Topology):
    """A grid of exactly n nodes, as square as n allows: its rows are the largest divisor of n up to sqrt(n).

    Nodes are numbered row by row. Nothing is drawn.

    Node column `position` [N, 2] float32: (column, row), each counted from 0.
    """

    name: ClassVar[str] = "grid"

    def check_sizes(self, num_nodes: Tensor) -> None:
        """Raise ValueError for a prime above 3, of which only a path could be made."""
        wrong = num_nodes[(_rows(num_nodes) == 1) & (num_nodes > 3)].tolist()
        if wrong:
            raise ValueError(f"{self.name}: {wrong[0]} is prime; give rows times columns, such as {wrong[0] + 1}")

    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """Edges [2, L] of graphs with `num_nodes` [B]; see `Topology.edges`."""
        return self.sample(num_nodes, generator)[0]

    def sample(self, num_nodes: Tensor, generator: torch.Generator) -> tuple[Tensor, Columns]:
        """Edges [2, L] and the column `position`; see `Topology.sample`."""
        self.check_sizes(num_nodes)
        nodes = Segments.from_lengths(num_nodes)
        columns = (num_nodes // _rows(num_nodes))[nodes.index]
        column, row = nodes.position % columns, nodes.position // columns
        node = torch.arange(nodes.num_rows, device=num_nodes.device)
        across = node[column + 1 < columns]
        down = node[nodes.position + columns < num_nodes[nodes.index]]
        far = torch.cat([across + 1, down + columns[down]])
        return torch.stack([torch.cat([across, down]), far]), {"position": torch.stack([column, row], dim=1).float()}


def _rows(num_nodes: Tensor) -> Tensor:
    """The largest divisor of each of `num_nodes` [B] that is not above its square root, [B]."""
    rows = torch.arange(1, 1 + math.isqrt(max(num_nodes.tolist(), default=1)), device=num_nodes.device)
    fits = (num_nodes[:, None] % rows == 0) & (rows * rows <= num_nodes[:, None])
    return torch.where(fits, rows, 1).amax(1)
