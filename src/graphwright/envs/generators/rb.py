"""Hard instances of independent set: cliques, joined at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graphwright.core import Segments
from graphwright.envs.generators.pairs import is_first, num_pairs, pair_key, pairs_at
from graphwright.envs.generators.topology import Topology


@dataclass(frozen=True)
class ModelRB(Topology):
    """n cliques of k nodes each, N = n · k, and random edges between random pairs of cliques.

    Model RB of Xu & Li (2000), "Exact phase transitions in random constraint satisfaction problems": n variables with a
    domain of k = n^a values, and r n ln n constraints, each on two random variables and with p k² forbidden pairs of
    values. A node is a variable with a value, an edge says that two of them exclude each other, so that an independent
    set of n nodes is a solution. The tightness p is uniform in [p_min, p_max), and r = -a / ln(1 - p): the threshold
    between many solutions and none, where instances are hard.

    As drawn for independent sets by Karalias & Loukas 2020, "Erdos goes neural", and Zhang et al. 2023, "Let the flows
    tell", int(r n ln n - 1) constraints are drawn with repetition, as ordered pairs of variables. A repeated one has
    only edges that are new; one of the same two variables the other way round may meet theirs.

    n_min, n_max: n is uniform among the divisors of N from n_min to n_max for which k is 2 or more. In the literature n
        is 20 to 24 and k 5 to 11 where N is 200 to 300 ("small", see `SMALL_RB_SIZES`), and n is 40 to 54 and k 20 to
        24 where N is 800 to 1200 ("large"), all uniform and drawn anew until N fits; p from 0.3 to 1 in both.
    p_min, p_max: 0 < p_min <= p_max <= 1.
    """

    name: ClassVar[str] = "rb"
    n_min: int = 20
    n_max: int = 24
    p_min: float = 0.3
    p_max: float = 1.0

    def __post_init__(self) -> None:
        if not 2 <= self.n_min <= self.n_max:
            raise ValueError(f"{self.name}: n from {self.n_min} to {self.n_max}; give 2 <= n_min <= n_max")
        if not 0 < self.p_min <= self.p_max <= 1:
            raise ValueError(f"{self.name}: p from {self.p_min} to {self.p_max}; give 0 < p_min <= p_max <= 1")

    def check_sizes(self, num_nodes: Tensor) -> None:
        """Raise ValueError where a size is no product of a number of cliques and a size of cliques."""
        wrong = num_nodes[~self._divisors(num_nodes).any(1)].tolist()
        if wrong:
            raise ValueError(
                f"{self.name}: {wrong[0]} nodes are no {self.n_min} to {self.n_max} cliques of one size of 2 or more; "
                f"give a multiple of one of these numbers, such as {10 * self.n_min}, or other n_min and n_max"
            )

    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """Edges [2, L] of graphs with `num_nodes` [B]; see `Topology.edges`."""
        self.check_sizes(num_nodes)
        divisors = self._divisors(num_nodes)
        lot = torch.rand(divisors.shape, generator=generator, device=divisors.device)
        n = self.n_min + lot.masked_fill(~divisors, -1).argmax(1)
        k = num_nodes // n
        cliques = Segments.from_lengths(n)
        size = k[cliques.index]
        nodes, pairs = Segments.from_lengths(size), Segments.from_lengths(num_pairs(size))
        inside = pairs_at(torch.arange(pairs.num_rows, device=n.device), pairs, nodes)
        between = self._constraints(n, k, cliques, nodes, generator)
        either = torch.cat([inside, between], dim=1)
        return either[:, is_first(pair_key(either, nodes.num_rows))]

    def _divisors(self, num_nodes: Tensor) -> Tensor:
        """[B, n_max - n_min + 1] bool: which numbers of cliques are possible."""
        n = torch.arange(self.n_min, self.n_max + 1, device=num_nodes.device)
        size = num_nodes[:, None]
        return (size % n == 0) & (size >= 2 * n)

    def _constraints(
        self, n: Tensor, k: Tensor, cliques: Segments, nodes: Segments, generator: torch.Generator
    ) -> Tensor:
        """Edges [2, L] between cliques, of which some may stand twice, both ways round."""

        def uniform(count: int) -> Tensor:
            return torch.rand(count, generator=generator, dtype=torch.float64, device=n.device)

        p = self.p_min + (self.p_max - self.p_min) * uniform(n.numel())
        rounds = (-n * k.double().log() / torch.log1p(-p) - 1).long().clamp(min=0)
        constraints = Segments.from_lengths(rounds)
        choices = n[constraints.index]
        one = (uniform(constraints.num_rows) * choices).long()
        other = (uniform(constraints.num_rows) * (choices - 1)).long()
        other = other + (other >= one)
        start = cliques.ptr[constraints.index]
        key, times = torch.unique((start + one) * cliques.num_rows + start + other, return_counts=True)
        one, other = key // cliques.num_rows, key % cliques.num_rows

        # s new edges out of k², so many times as a constraint was drawn, are as many as that at random
        graph = cliques.index[one]
        square = k[graph].square()
        candidates = Segments.from_lengths(square)
        order = torch.argsort(candidates.index + uniform(candidates.num_rows))
        wanted = times * (p[graph] * square).long()
        chosen = order[candidates.position < wanted[candidates.index]]
        pair, place = candidates.index[chosen], candidates.position[chosen]
        width = k[graph][pair]
        return torch.stack([nodes.ptr[one[pair]] + place // width, nodes.ptr[other[pair]] + place % width])


SMALL_RB_SIZES = (200, 207, 210, 216, 220, 220, 230, 231, 240, 242, 253, 264)
"""Sizes with which the default `ModelRB` has the law of the "small" graphs of the literature.

They are n · k for n from 20 to 24 and k from 5 to 11, where it is 200 to 300; 220 is both 20 · 11 and 22 · 10.
"""

TINY_RB = ModelRB(n_min=5, n_max=8)
"""Graphs of the same kind with 5 to 8 cliques, to learn on in place of larger ones."""
TINY_RB_SIZES = tuple(n for n in range(20, 61) if any(n % cliques == 0 for cliques in range(5, 9)))
"""Sizes for `TINY_RB`, 20 to 60 nodes."""
