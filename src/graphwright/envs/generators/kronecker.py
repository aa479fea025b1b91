"""Graphs with hubs and communities within communities, as the benchmark Graph500 draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import Segments
from graphwright.core.segment import lexsort
from graphwright.envs.generators.topology import Topology

_QUARTERS = (0.57, 0.19, 0.19)
"""Graph500's shares A, B and C of the edges in the quarters of the adjacency matrix; D has the rest."""


@dataclass(frozen=True)
class Kronecker(Topology):
    """`factor` · n draws of an edge, each by going down into one quarter of the adjacency matrix after the other.

    Chakrabarti, Zhan, Faloutsos (2004), "R-MAT: a recursive model for graph mining", with the numbers of the benchmark
    Graph500. Loops and edges that are drawn again are left out, nodes are numbered at random. Of n that is no power of
    two, the matrix of the next one is drawn, and edges of nodes beyond n are left out.

    factor: draws for each node.
    """

    name: ClassVar[str] = "kronecker"
    factor: float = 16.0

    def __post_init__(self) -> None:
        if not 0 < self.factor < float("inf"):
            raise ValueError(f"kronecker: factor={self.factor}; give a number above 0")

    @override
    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        nodes = Segments.from_lengths(num_nodes)
        levels = (num_nodes.clamp(min=1) - 1).double().log2().floor().clamp(min=-1).long() + 1
        draws = Segments.from_lengths((self.factor * num_nodes).round().long())
        first, second = self._draw(levels[draws.index], generator)
        size = num_nodes[draws.index]
        kept = ((first < size) & (second < size) & (first != second)).nonzero().squeeze(1)
        ends = torch.stack([first[kept], second[kept]]) + nodes.ptr[:-1][draws.index[kept]]
        ends = _shuffled(nodes, generator)[ends]
        key = torch.unique(ends.amin(0) * max(nodes.num_rows, 1) + ends.amax(0))
        return torch.stack([key // max(nodes.num_rows, 1), key % max(nodes.num_rows, 1)])

    @staticmethod
    def _draw(levels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Row and column [M] of each draw in a matrix of 2^levels [M] rows."""
        row, column = torch.zeros_like(levels), torch.zeros_like(levels)
        a, b, c = _QUARTERS
        for level in range(int(levels.max()) if levels.numel() else 0):
            drawn = torch.rand(levels.numel(), generator=generator, device=levels.device)
            deeper = level < levels
            row = 2 * row * deeper + row * ~deeper + ((drawn >= a + b) & deeper)
            right = ((drawn >= a) & (drawn < a + b)) | (drawn >= a + b + c)
            column = 2 * column * deeper + column * ~deeper + (right & deeper)
        return row, column


def _shuffled(nodes: Segments, generator: torch.Generator) -> Tensor:
    """[N]: a random permutation inside each graph, numbered over the union."""
    drawn = torch.rand(nodes.num_rows, generator=generator, device=nodes.index.device, dtype=torch.float64)
    return lexsort(drawn, nodes.index)
