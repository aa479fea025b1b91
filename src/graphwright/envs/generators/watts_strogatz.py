"""Small worlds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graphwright.core import Segments
from graphwright.core.segment import segment_sample
from graphwright.envs.generators.pairs import pair_key
from graphwright.envs.generators.topology import Topology


@dataclass(frozen=True)
class WattsStrogatz(Topology):
    """A ring where each node has k nearest neighbours, and each edge's far end is rewired with probability p.

    A rewired edge goes to a node drawn uniformly from those that its near end is not joined to; where there is none, it
    stays. A graph of n > k nodes has exactly n k / 2 edges, a smaller one is complete.

    The law is that of the sequential process of Watts & Strogatz (1998), "Collective dynamics of small-world networks",
    and of networkx: first all edges to nearest neighbours around the ring, then those to second neighbours, and so on.

    k: neighbours of a node in the ring, even, at least 2.
    p: probability of rewiring an edge, in [0, 1].
    """

    name: ClassVar[str] = "watts-strogatz"
    k: int = 4
    p: float = 0.3

    def __post_init__(self) -> None:
        if self.k < 2 or self.k % 2:
            raise ValueError(f"{self.name}: k={self.k} neighbours; k must be even and at least 2, such as k=4")
        if not 0 <= self.p <= 1:
            raise ValueError(f"{self.name}: p={self.p} is no probability; give p from 0 to 1, such as p=0.3")

    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """Edges [2, L] of graphs with `num_nodes` [B]; see `Topology.edges`."""
        ring = Segments.from_lengths(num_nodes)
        size = num_nodes[ring.index]
        step = torch.arange(1, self.k // 2 + 1, device=size.device)[:, None].expand(-1, ring.num_rows)
        lattice = (2 * step < size) | ((2 * step == size) & (2 * ring.position < size))
        draw = torch.rand(step.shape, generator=generator, device=size.device)
        near = torch.arange(ring.num_rows, device=size.device).expand_as(step)
        step = _rewire(step, (draw < self.p) & (size > self.k + 1), ring, generator)
        return torch.stack([near[lattice], _ahead(ring, near, step)[lattice]])


def _rewire(step: Tensor, chosen: Tensor, ring: Segments, generator: torch.Generator) -> Tensor:
    """`step` [k / 2, N], how far each edge leads ahead of its near end, with the `chosen` edges rewired.

    Each chosen edge proposes a node; of those that propose the same pair the one whose turn comes first holds it, and
    the others propose again. An edge never loses a pair except to one of an earlier turn, so what they hold in the end
    is what they would have taken one after the other (deferred acceptance, Gale & Shapley 1962).

    Proposals are blind, except that the first few edges of a round look at all their nodes, as many in all as there are
    edges settled: in a crowded graph an edge may have one free node left, or none, and then it stays.
    """
    home, near = chosen.nonzero().unbind(1)
    turn = torch.arange(near.numel(), device=near.device)
    vacated = torch.full_like(step, near.numel(), memory_format=torch.contiguous_format)
    vacated[chosen] = turn  # the turn at which a pair of the lattice is given up; after all turns, if its edge is kept
    others = ring.lengths[ring.index[near]] - 1
    proposal, stays = 1 + home, torch.zeros_like(turn, dtype=torch.bool)
    seeking, held, holder = turn, torch.full_like(turn, -1), turn
    while seeking.numel():
        draw = torch.rand(seeking.shape, generator=generator, device=near.device, dtype=torch.float64)
        proposal[seeking] = 1 + (draw * others[seeking]).long()

        looking = seeking[others[seeking].cumsum(0) - others[seeking] < near.numel() - seeking.numel()]
        nodes = Segments.from_lengths(others[looking])
        edge = looking[nodes.index]
        key, free = _pair(ring, vacated, near[edge], 1 + nodes.position, edge)
        place = torch.searchsorted(held, key).clamp(max=near.numel() - 1)
        free &= (held[place] != key) | (holder[place] > edge)
        choice = segment_sample(torch.where(free, 0.0, -torch.inf), nodes, generator)
        proposal[looking] = 1 + torch.where(choice < 0, home[looking], choice)
        stays[looking] = choice < 0

        key, free = _pair(ring, vacated, near, proposal, turn)
        held, holder = torch.where(free | stays, key, -1).sort(stable=True)
        lost = (held < 0) | (held.diff(prepend=held[:1] - 1) == 0)
        seeking = holder[lost].sort().values
    rewired = step.clone()
    rewired[chosen] = proposal
    return rewired


def _ahead(ring: Segments, node: Tensor, step: Tensor) -> Tensor:
    """The node `step` places ahead of `node` around its ring."""
    graph = ring.index[node]
    return ring.ptr[graph] + (ring.position[node] + step) % ring.lengths[graph]


def _pair(ring: Segments, vacated: Tensor, near: Tensor, step: Tensor, turn: Tensor) -> tuple[Tensor, Tensor]:
    """The key of the pair of `near` [L] and the node `step` [L] ahead; whether the lattice left it before `turn`."""
    far = _ahead(ring, near, step)
    reach, back = vacated.shape[0], ring.lengths[ring.index[near]] - step
    left = torch.where(step <= reach, vacated[step.clamp(max=reach) - 1, near], -1)
    left = torch.where(back <= reach, vacated[back.clamp(max=reach) - 1, far], left)
    return pair_key(torch.stack([near, far]), ring.num_rows), left < turn
