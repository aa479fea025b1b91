"""The capability to optimise: final states hold solutions, and an objective says how good they are."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.readable import Readable


class Solution(NamedTuple):
    """What a final state of one graph says.

    nodes: [k] int64, the chosen nodes, in the order that means something (a tour, a path) or by rising place.
    links: [2, m] int64, the chosen pairs of nodes, whether an edge joins them or not.
    """

    nodes: Tensor
    links: Tensor


PLACES = ("position", "pos", "x", "y", "longitude", "latitude", "lon", "lat")
"""Node columns that say where nodes are."""


class Optimization(Readable):
    """An environment whose episodes build solutions of an instance. Where more is better, it sets `maximise`."""

    @property
    def maximise(self) -> bool:
        """Whether a larger objective is better."""
        return False

    @property
    def shows_edges(self) -> bool:
        """Whether a picture shows the edges of an instance; not where they only say who is near whom."""
        return True

    @abstractmethod
    def objective(self, state: GraphBatch) -> Tensor:
        """[B] float64: the value of the solution that `state` holds."""

    @abstractmethod
    def is_complete(self, state: GraphBatch) -> Tensor:
        """[B] bool: whether the solution that `state` holds is one."""

    @abstractmethod
    def solution(self, state: GraphBatch) -> Solution:
        """What `state`, a batch of one graph, says; nodes counted from 0."""

    def so_far(self, state: GraphBatch) -> Solution:
        """What a moving picture shows of `state`, a batch of one graph, which an episode is passing through."""
        return self.solution(state)

    def cost(self, state: GraphBatch) -> Tensor:
        """[B] float64: the objective, turned so that less is better."""
        return -self.objective(state) if self.maximise else self.objective(state)

    def severity(self, state: GraphBatch, action: Tensor) -> Tensor:
        """[B] float32: how bad each illegal `action` [B] is, 1 unless a problem tells degrees apart."""
        return torch.ones(state.num_graphs, device=state.device)


def chosen_nodes(state: GraphBatch, column: str) -> Solution:
    """The solution that consists of the nodes where a bool column is true."""
    return Solution(state.nodes[column].nonzero().squeeze(1), torch.empty(2, 0, dtype=torch.int64))
