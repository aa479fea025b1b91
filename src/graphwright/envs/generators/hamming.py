"""Hamming graphs of DIMACS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from graphwright.envs.generators.words import WordGraph


@dataclass(frozen=True)
class Hamming(WordGraph):
    """The 2^n binary words of length n, joined where they differ in d places or more.

    hammingN-D of the second DIMACS challenge: Johnson & Trick (1996), "Cliques, Coloring, and Satisfiability".

    n: length of a word, 1 to 12.
    d: least distance of two words that are joined, at least 1.
    """

    name: ClassVar[str] = "hamming"
    n: int = 6
    d: int = 4

    @property
    def size(self) -> int:
        """2^n."""
        return 2**self.n

    def words(self) -> Tensor:
        """[2^n, n] bool: node v is v in binary."""
        return (torch.arange(self.size)[:, None] >> torch.arange(self.n)) % 2 == 1
