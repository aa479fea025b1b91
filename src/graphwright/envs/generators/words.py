"""Graphs of codes: their nodes are words, joined where they differ in many places."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from graphwright.core import Segments
from graphwright.envs.generators.topology import Topology

_MOST_WORDS = 4096  # 8 million pairs


class WordGraph(Topology):
    """One graph for each choice of options: a node a binary word, an edge where two words differ in d places or more.

    A clique of it is a code whose words differ in d places or more. Nothing is drawn.

    n: length of a word, 1 to 64.
    d: least distance of two words that are joined, at least 1.
    """

    n: int  # no dataclass: these are fields of the subclasses, which say in which order they stand
    d: int

    @property
    @abstractmethod
    def size(self) -> int:
        """How many words, and so nodes, there are."""

    @abstractmethod
    def words(self) -> Tensor:
        """[size, n] bool: all words, in the order of the nodes."""

    def __post_init__(self) -> None:
        if not 1 <= self.n <= 64:
            raise ValueError(f"{self.name}: n={self.n} letters; give n from 1 to 64, such as n=6")
        if self.d < 1:
            raise ValueError(f"{self.name}: d={self.d} places; d must be at least 1, such as d=4")
        if self.size > _MOST_WORDS:
            raise ValueError(f"{self.name}: {self.size} words are too many; lower n, to at most {_MOST_WORDS} words")

    def check_sizes(self, num_nodes: Tensor) -> None:
        """Raise ValueError for every size but the number of words."""
        wrong = num_nodes[num_nodes != self.size].tolist()
        if wrong:
            raise ValueError(f"{self} has {self.size} nodes, not {wrong[0]}; give the size {self.size}")

    def edges(self, num_nodes: Tensor, generator: torch.Generator) -> Tensor:
        """Edges [2, L] of graphs with `num_nodes` [B]; see `Topology.edges`."""
        self.check_sizes(num_nodes)
        ones = self.words().to(num_nodes.device).float()
        shared, weight = ones @ ones.T, ones.sum(1)
        distance = weight[:, None] + weight - 2 * shared
        pairs = (distance >= self.d).triu(1).nonzero().T
        graphs = Segments.from_lengths(num_nodes)
        return (pairs[:, None] + graphs.ptr[:-1, None]).flatten(1)
