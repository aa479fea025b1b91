"""One line of nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graphwright.core import Segments
from graphwright.envs.generators.topology import Topology


@dataclass(frozen=True)
class PathGraph(Topology):
    """The path 0 - 1 - ... - n - 1, its nodes in this order. Nothing is drawn."""

    name: ClassVar[str] = "path"

    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """Edges [2, L] of graphs with `num_nodes` [B]; see `Topology.edges`."""
        nodes = Segments.from_lengths(num_nodes)
        near = (nodes.position + 1 < num_nodes[nodes.index]).nonzero().squeeze(1)
        return torch.stack([near, near + 1])
