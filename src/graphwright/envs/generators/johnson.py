"""Johnson graphs of DIMACS."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graphwright.envs.generators.words import WordGraph


@dataclass(frozen=True)
class Johnson(WordGraph):
    """The binary words of length n with w ones, joined where they differ in d places or more.

    johnsonN-W-D of the second DIMACS challenge: Johnson & Trick (1996), "Cliques, Coloring, and Satisfiability".

    n: length of a word, 1 to 64.
    w: ones in a word, from 1 to n.
    d: least distance of two words that are joined, at least 1.
    """

    name: ClassVar[str] = "johnson"
    n: int = 8
    w: int = 4
    d: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.w <= self.n:
            raise ValueError(f"{self.name}: w={self.w} ones in n={self.n} places; give w from 1 to n, such as n=8,w=4")
        super().__post_init__()

    @property
    def size(self) -> int:
        """n over w."""
        return math.comb(self.n, self.w)

    def words(self) -> Tensor:
        """[size, n] bool: the places of the ones, in lexicographic order."""
        words = torch.zeros(self.size, self.n, dtype=torch.bool)
        return words.scatter_(1, torch.combinations(torch.arange(self.n), self.w), True)
