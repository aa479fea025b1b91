"""The capability to optimise: final states hold solutions, and an objective says how good they are."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.environment import Environment


class Solution(NamedTuple):
    """What a final state of one graph says.

    nodes: [k] int64, the chosen nodes, in the order that means something (a tour, a path) or by rising place.
    links: [2, m] int64, the chosen pairs of nodes, whether an edge joins them or not.
    """

    nodes: Tensor
    links: Tensor


@dataclass(frozen=True)
class Inputs:
    """Which columns of a user's graph `instance` reads, in small letters, so that what it does not read can be said.

    nodes, edges, graphs: their names. marks: further node columns, which say by true and false who plays a part.
    node_weight, edge_weight: further columns that hold weights, of which the first that is there counts.
    parallel: what becomes of edges between the same two nodes.
    """

    nodes: tuple[str, ...] = ()
    edges: tuple[str, ...] = ()
    graphs: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    node_weight: tuple[str, ...] = ()
    edge_weight: tuple[str, ...] = ()
    parallel: str = "are one"


PLACES = ("position", "pos", "x", "y", "longitude", "latitude", "lon", "lat")
"""Node columns that say where nodes are."""


class Optimization(Environment):
    """An environment whose episodes build solutions of an instance. Where more is better, it sets `maximise`."""

    @property
    def maximise(self) -> bool:
        """Whether a larger objective is better."""
        return False

    @property
    def inputs(self) -> Inputs | None:
        """What `instance` reads; None where that is not said."""
        return None

    @abstractmethod
    def instance(self, graph: GraphBatch) -> GraphBatch:
        """What a user brings, as instances of this problem: only the columns that it needs, in the form that it needs.

        Instances are instances already and stay as they are. Raises GraphError, naming what is wrong and the remedy,
        where that cannot be.
        """

    @abstractmethod
    def objective(self, state: GraphBatch) -> Tensor:
        """[B] float64: the value of the solution that `state` holds."""

    @abstractmethod
    def is_complete(self, state: GraphBatch) -> Tensor:
        """[B] bool: whether the solution that `state` holds is one."""

    @abstractmethod
    def solution(self, state: GraphBatch) -> Solution:
        """What `state`, a batch of one graph, says; nodes counted from 0."""

    def cost(self, state: GraphBatch) -> Tensor:
        """[B] float64: the objective, turned so that less is better."""
        return -self.objective(state) if self.maximise else self.objective(state)

    def severity(self, state: GraphBatch, action: Tensor) -> Tensor:
        """[B] float32: how bad each illegal `action` [B] is, 1 unless a problem tells degrees apart."""
        return torch.ones(state.num_graphs, device=state.device)


def chosen_nodes(state: GraphBatch, column: str) -> Solution:
    """The solution that consists of the nodes where a bool column is true."""
    return Solution(state.nodes[column].nonzero().squeeze(1), torch.empty(2, 0, dtype=torch.int64))
