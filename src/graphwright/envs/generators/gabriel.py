"""Planar networks, as roads and cables are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graphwright.core import Segments
from graphwright.core.graph import Columns
from graphwright.envs.generators.pairs import num_pairs, pairs_at
from graphwright.envs.generators.topology import Topology


@dataclass(frozen=True)
class Gabriel(Topology):
    """Uniform points in the unit square, joined where no third point is inside the circle whose diameter they are.

    Gabriel & Sokal (1969), "A new statistical approach to geographic variation analysis". A part of the Delaunay
    triangulation that contains the shortest spanning tree: planar and connected, about two edges a node.

    Memory grows with the number of pairs, and time hardly faster.

    Node column `position` [N, 2] float32.
    """

    name: ClassVar[str] = "gabriel"

    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """Edges [2, L] of graphs with `num_nodes` [B]; see `Topology.edges`."""
        return self.sample(num_nodes, generator)[0]

    def sample(self, num_nodes: Tensor, generator: torch.Generator) -> tuple[Tensor, Columns]:
        """Edges [2, L] and the column `position`; see `Topology.sample`."""
        nodes = Segments.from_lengths(num_nodes)
        position = torch.rand(nodes.num_rows, 2, generator=generator, device=num_nodes.device)
        return _open_pairs(position, nodes), {"position": position}


def _open_pairs(position: Tensor, nodes: Segments) -> Tensor:
    """Pairs [2, L] of one graph's nodes that none of its points stands between.

    The points of each graph are held against all of its pairs one by one. They come in random places, so after k of
    them about 4 / k of the pairs are left, and few are met often. A point stands between two others where it sees them
    at an obtuse angle, which float64 tells exactly: positions are multiples of 2^-24.
    """
    x, y = position.double().T.contiguous()
    pairs = Segments.from_lengths(num_pairs(nodes.lengths))
    one, other = pairs_at(torch.arange(pairs.num_rows, device=position.device), pairs, nodes)
    for step in range(max(nodes.lengths.tolist(), default=0)):
        point = (nodes.ptr[:-1] + step % nodes.lengths)[nodes.index]  # a small graph's points come round again
        dx, dy = x - x[point], y - y[point]
        is_open = (dx[one] * dx[other] + dy[one] * dy[other] >= 0).nonzero().squeeze(1)
        one, other = one[is_open], other[is_open]
    return torch.stack([one, other])
