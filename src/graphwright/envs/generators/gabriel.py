"""Planar networks, as roads and cables are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from graphwright.core import Segments
from graphwright.core.graph import Columns
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.core.kernels.loops import with_room
from graphwright.envs.generators.topology import Topology


@dataclass(frozen=True)
class Gabriel(Topology):
    """Uniform points in the unit square, joined where no third point is inside the circle whose diameter they are.

    Gabriel & Sokal (1969), "A new statistical approach to geographic variation analysis". A part of the Delaunay
    triangulation that contains the shortest spanning tree: planar and connected, about two edges a node.

    Time grows hardly faster than the number of pairs.

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

    A point stands between two others where it sees them at an obtuse angle, which float64 tells exactly: positions are
    multiples of 2^-24.
    """
    x, y = position.double().cpu().T.contiguous()
    found = _pairs_without_point_between(*arrays(x, y, nodes.ptr.cpu()))
    return torch.stack([torch.from_numpy(end) for end in found]).to(position.device)


@jit_as_written
def _pairs_without_point_between(x, y, ptr):  # type: ignore[no-untyped-def]
    """The points of a graph come in random places, so that one of the first mostly stands between two far ones."""
    one, other, count = np.empty(64, np.int64), np.empty(64, np.int64), 0
    for graph in range(ptr.size - 1):
        begin, end = ptr[graph], ptr[graph + 1]
        for v in range(begin, end):
            for u in range(begin, v):
                is_open = True
                for point in range(begin, end):
                    if (x[u] - x[point]) * (x[v] - x[point]) + (y[u] - y[point]) * (y[v] - y[point]) < 0:
                        is_open = False
                        break
                if is_open:
                    one, other = with_room(one, count), with_room(other, count)
                    one[count], other[count] = u, v
                    count += 1
    return one[:count], other[:count]
