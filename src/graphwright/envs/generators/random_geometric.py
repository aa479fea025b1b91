"""Points in the plane."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from graphwright.core import Segments
from graphwright.core.graph import Columns
from graphwright.core.segment import lexsort
from graphwright.envs.generators.topology import Topology

_MANY = 20_000
"""Nodes of a graph, from which on a tree finds close pairs sooner than a sweep does."""


@dataclass(frozen=True)
class RandomGeometric(Topology):
    """Uniform points in the unit square, joined where they are at most `radius` apart.

    Gilbert (1961), "Random plane networks".

    Node column `position` [N, 2] float32.

    radius: greatest length of an edge, above 0.
    """

    name: ClassVar[str] = "random-geometric"
    radius: float = 0.3

    def __post_init__(self) -> None:
        if not self.radius > 0:
            raise ValueError(f"{self.name}: radius={self.radius}; the radius must be above 0, such as radius=0.3")

    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """Edges [2, L] of graphs with `num_nodes` [B]; see `Topology.edges`."""
        return self.sample(num_nodes, generator)[0]

    def sample(self, num_nodes: Tensor, generator: torch.Generator) -> tuple[Tensor, Columns]:
        """Edges [2, L] and the column `position`; see `Topology.sample`."""
        nodes = Segments.from_lengths(num_nodes)
        position = torch.rand(nodes.num_rows, 2, generator=generator, device=num_nodes.device)
        many = max(num_nodes.tolist(), default=0) >= _MANY
        find = _close_pairs_by_tree if many else _close_pairs
        return find(position, self.radius, nodes), {"position": position}


def _close_pairs_by_tree(position: Tensor, radius: float, nodes: Segments) -> Tensor:
    """As `_close_pairs`, for graphs in which a strip of that width holds many nodes."""
    from scipy.spatial import cKDTree

    pairs = []
    for begin, end in pairwise(nodes.ptr.tolist()):
        found = cKDTree(position[begin:end].cpu().double().numpy()).query_pairs(radius, output_type="ndarray")
        pairs.append(begin + torch.from_numpy(found.astype(np.int64).T))
    return torch.cat(pairs, dim=1).to(position.device)


def _close_pairs(position: Tensor, radius: float, nodes: Segments) -> Tensor:
    """Pairs [2, L] of one graph's nodes at most `radius` apart.

    A plane sweep: nodes in order of x are compared with those 1, 2, ... places further on, until all are too far in x.
    """
    order = lexsort(position[:, 0], nodes.index)
    point, pairs = position[order], [order.new_empty(2, 0)]
    for step in range(1, max(nodes.lengths.tolist(), default=0)):
        square = (point[step:] - point[:-step]).square()
        same = nodes.index[step:] == nodes.index[:-step]
        in_reach = same & (square[:, 0] <= radius**2)
        if not in_reach.any():
            break
        close = (in_reach & (square.sum(1) <= radius**2)).nonzero().squeeze(1)
        pairs.append(torch.stack([order[close], order[close + step]]))
    return torch.cat(pairs, dim=1)
