"""Trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graphwright.core import Segments
from graphwright.envs.generators.topology import Topology


@dataclass(frozen=True)
class RandomTree(Topology):
    """A tree drawn uniformly from all n^(n - 2) trees on n numbered nodes.

    The bijection of Joyal (1981), "Une théorie combinatoire des séries formelles", between the maps of n nodes into
    themselves and the trees with two marked nodes. The nodes on the cycles of a random map are taken in rising order:
    their images, in this order, are a path. Every other node is joined to its image. A Prüfer code gives the same law,
    but is read one node after the other.
    """

    name: ClassVar[str] = "tree"

    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """Edges [2, L] of graphs with `num_nodes` [B]; see `Topology.edges`."""
        nodes = Segments.from_lengths(num_nodes)
        draw = torch.rand(nodes.num_rows, generator=generator, device=num_nodes.device, dtype=torch.float64)
        image = nodes.ptr[nodes.index] + (draw * num_nodes[nodes.index]).long()
        on_cycle = _on_cycle(image, max(num_nodes.tolist(), default=1))
        path = image[on_cycle]
        linked = nodes.index[path[1:]] == nodes.index[path[:-1]]
        rest = (~on_cycle).nonzero().squeeze(1)
        return torch.cat([torch.stack([path[:-1], path[1:]])[:, linked], torch.stack([rest, image[rest]])], dim=1)


def _on_cycle(image: Tensor, longest: int) -> Tensor:
    """Which nodes come back to themselves under the map `image` [N], [N] bool: those reached after `longest` steps."""
    steps = 1
    while steps < longest:
        image, steps = image[image], 2 * steps
    on_cycle = torch.zeros_like(image, dtype=torch.bool)
    on_cycle[image] = True
    return on_cycle
