"""The capability to choose many nodes at once."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.environment import Environment


class Simultaneous(Environment):
    """An environment whose graphs choose nodes, and where such as no seen edge joins may be chosen in one step.

    An episode is over when no candidate is legal.
    """

    share: ClassVar[float] = 0.03
    """The share of the legal nodes that may be chosen at once: as good as one at a time, by measurement."""

    @abstractmethod
    def decide(self, state: GraphBatch, nodes: Tensor) -> GraphBatch:
        """The state after the steps that choose `nodes` [S], numbered over the union, no two joined by a seen edge."""
