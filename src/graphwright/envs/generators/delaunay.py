"""Triangulations of points, as meshes are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import Segments
from graphwright.core.graph import Columns
from graphwright.envs.generators.topology import Topology


@dataclass(frozen=True)
class Delaunay(Topology):
    """The Delaunay triangulation of uniform points in the unit square, about three edges a node.

    delaunay_nK of the tenth DIMACS challenge are those of 2^K points (Holtgrewe, Sanders, Schulz 2010, "Engineering a
    scalable high quality graph partitioner"). Time is nearly linear; one graph is made after the other.

    Node column `position` [N, 2] float32.
    """

    name: ClassVar[str] = "delaunay"

    @override
    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        return self.sample(num_nodes, generator)[0]

    @override
    def sample(self, num_nodes: Tensor, generator: torch.Generator) -> tuple[Tensor, Columns]:
        nodes = Segments.from_lengths(num_nodes)
        position = torch.rand(nodes.num_rows, 2, generator=generator, device=num_nodes.device)
        found = [torch.empty(2, 0, dtype=torch.int64)]
        for begin, end in pairwise(nodes.ptr.tolist()):
            found.append(begin + _sides(position[begin:end]))
        return torch.cat(found, dim=1).to(position.device), {"position": position}


def _sides(position: Tensor) -> Tensor:
    """The sides [2, L] of the triangles between points [n, 2], each once; of fewer than four, all pairs."""
    from scipy.spatial import Delaunay as Triangulation

    size = len(position)
    if size < 4:
        return torch.combinations(torch.arange(size)).T
    triangles = torch.from_numpy(Triangulation(position.double().cpu().numpy()).simplices).long()
    sides = torch.cat([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    key = torch.unique(sides.amin(1) * size + sides.amax(1))
    return torch.stack([key // size, key % size])
