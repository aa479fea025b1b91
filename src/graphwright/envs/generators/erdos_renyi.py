"""Independent edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graphwright.core import Segments
from graphwright.envs.generators.pairs import num_pairs, pairs_at
from graphwright.envs.generators.topology import Topology


@dataclass(frozen=True)
class ErdosRenyi(Topology):
    """Each pair of nodes is joined with probability p, independently (Gilbert 1959, "Random graphs").

    Time and memory grow with the number of edges, not of pairs (Batagelj & Brandes 2005, "Efficient generation of large
    random networks").

    p: probability of an edge, in [0, 1].
    """

    name: ClassVar[str] = "erdos-renyi"
    p: float = 0.15

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(f"{self.name}: p={self.p} is no probability; give p from 0 to 1, such as p=0.15")

    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """Edges [2, L] of graphs with `num_nodes` [B]; see `Topology.edges`."""
        pairs = Segments.from_lengths(num_pairs(num_nodes))
        index = _successes(pairs.num_rows, self.p, generator)
        return pairs_at(index, pairs, Segments.from_lengths(num_nodes))


def _successes(trials: int, p: float, generator: torch.Generator) -> Tensor:
    """Which of `trials` independent trials succeed with probability p, rising [L] int64: a sum of geometric gaps."""
    found, last = [torch.empty(0, dtype=torch.int64, device=generator.device)], -1
    rate = -math.log1p(-p) if p < 1 else math.inf
    while p > 0 and last + 1 < trials:
        expected = (trials - last) * p
        count = int(expected + 4 * math.sqrt(expected)) + 16
        wait = torch.empty(count, dtype=torch.float64, device=generator.device).exponential_(generator=generator)
        index = last + (1 + wait.div_(rate).clamp_(max=trials).long()).cumsum(0)
        found.append(index[index < trials])
        last = int(index[-1])
    return torch.cat(found)
