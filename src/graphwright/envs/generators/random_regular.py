"""Equal degrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graphwright.core import Segments
from graphwright.core.segment import segment_sum
from graphwright.envs.generators.pairs import is_first, num_pairs, pair_key, pairs_at
from graphwright.envs.generators.topology import Topology


@dataclass(frozen=True)
class RandomRegular(Topology):
    """Every node has d neighbours.

    Steger & Wormald (1999), "Generating random regular graphs quickly", as networkx does it: d stubs a node are paired
    at random, pairs that would be a loop or a parallel edge are broken up and paired again, and a graph whose left-over
    stubs fit nowhere starts afresh. A graph that joins more than half of its pairs is the complement of such a one.
    Nearly uniform over all d-regular graphs where the graph or its complement is sparse.

    d: degree, at least 1; a graph needs more than d nodes, an even number of them where d is odd.
    """

    name: ClassVar[str] = "random-regular"
    d: int = 3

    def __post_init__(self) -> None:
        if self.d < 1:
            raise ValueError(f"{self.name}: d={self.d} neighbours; d must be at least 1, such as d=3")

    def check_sizes(self, num_nodes: Tensor) -> None:
        """Raise ValueError where no graph of that size is d-regular."""
        wrong = num_nodes[(num_nodes <= self.d) | (num_nodes * self.d % 2 == 1)].tolist()
        if wrong:
            need = f"more than {self.d} nodes" + (" and an even number" if self.d % 2 else "")
            raise ValueError(f"{self.name}: d={self.d} needs {need}, not {wrong[0]}; change d or drop the size")

    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """Edges [2, L] of graphs with `num_nodes` [B]; see `Topology.edges`."""
        self.check_sizes(num_nodes)
        nodes = Segments.from_lengths(num_nodes)
        dense = 2 * self.d >= num_nodes
        joined = _pair_stubs(torch.where(dense, num_nodes - 1 - self.d, self.d), nodes, generator)
        pairs = Segments.from_lengths(torch.where(dense, num_pairs(num_nodes), 0))
        every_pair = pairs_at(torch.arange(pairs.num_rows, device=dense.device), pairs, nodes)
        either = torch.cat([joined, every_pair], dim=1)
        chosen = is_first(pair_key(either, nodes.num_rows))
        chosen[: joined.shape[1]] = ~dense[nodes.index[joined[0]]]
        return either[:, chosen]


def _pair_stubs(degree: Tensor, nodes: Segments, generator: torch.Generator) -> Tensor:
    """Edges [2, L] that give each node of graph b `degree` [B] neighbours."""
    every_stub = torch.arange(nodes.num_rows, device=degree.device).repeat_interleave(degree[nodes.index])
    stubs, joined = every_stub, every_stub.new_empty(2, 0)
    while stubs.numel():
        stubs = stubs[torch.randperm(stubs.numel(), generator=generator, device=stubs.device)]
        stubs = stubs[torch.argsort(nodes.index[stubs], stable=True)]
        pairs = torch.cat([joined, stubs.view(-1, 2).T], dim=1)
        fits = (pairs[0] != pairs[1]) & is_first(pair_key(pairs, nodes.num_rows))
        joined, stubs = pairs[:, fits], pairs[:, ~fits].flatten()
        afresh = _is_stuck(joined, stubs, nodes)[nodes.index]
        joined = joined[:, ~afresh[joined[0]]]
        stubs = torch.cat([stubs[~afresh[stubs]], every_stub[afresh[every_stub]]])
    return joined


def _is_stuck(joined: Tensor, stubs: Tensor, nodes: Segments) -> Tensor:
    """Where all pairs of the nodes that still have `stubs` are `joined` [2, L] already, [B] bool."""
    is_open = torch.zeros(nodes.num_rows, dtype=torch.bool, device=stubs.device)
    is_open[stubs] = True
    num_open = segment_sum(is_open, nodes)
    inside = joined[0, is_open[joined].all(0)]
    num_joined = torch.bincount(nodes.index[inside], minlength=nodes.num_groups)
    return (num_open > 0) & (num_joined == num_pairs(num_open))
