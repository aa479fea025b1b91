"""Points without edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graphwright.core import Segments
from graphwright.core.graph import Columns
from graphwright.envs.generators.topology import Topology


@dataclass(frozen=True)
class Points(Topology):
    """Uniform points in the unit square, and no edges: what a problem of the plane, such as a tour, is drawn from.

    Node column `position` [N, 2] float32.
    """

    name: ClassVar[str] = "points"

    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """Edges [2, 0]; see `Topology.edges`."""
        return self.sample(num_nodes, generator)[0]

    def sample(self, num_nodes: Tensor, generator: torch.Generator) -> tuple[Tensor, Columns]:
        """Edges [2, 0] and the column `position`; see `Topology.sample`."""
        count = Segments.from_lengths(num_nodes).num_rows
        position = torch.rand(count, 2, generator=generator, device=num_nodes.device)
        return num_nodes.new_empty(2, 0), {"position": position}
