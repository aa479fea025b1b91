"""The contract of an environment: a batch of independent problems as pure functions of tensors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step


class Solution(NamedTuple):
    """What a final state of one graph says.

    nodes: [k] int64, the chosen nodes, in the order that means something (a tour, a path) or by rising place.
    links: [2, m] int64, the chosen pairs of nodes, whether an edge joins them or not.
    """

    nodes: Tensor
    links: Tensor


class Environment(ABC):
    """Rules of a problem. All state lives in the `GraphBatch`; an environment holds nothing but its options.

    An instance is a problem to solve; a state is an instance with the columns that `reset` adds. Every method treats
    the graphs of a batch independently of each other and leaves its arguments as they were.

    An environment whose states differ from their instances in nodes or edges, or in columns that an instance has too,
    sets `edits_graph`; its states are then stored whole. One whose objective is to be maximised sets `maximise`.
    """

    @property
    @abstractmethod
    def features(self) -> Features:
        """The columns of an observation that a network reads."""

    @property
    @abstractmethod
    def actions(self) -> ActionSpec:
        """What an agent chooses among."""

    @property
    def maximise(self) -> bool:
        """Whether a larger objective is better."""
        return False

    @property
    def edits_graph(self) -> bool:
        """Whether steps change the nodes, the edges or the columns of the instance itself."""
        return False

    @abstractmethod
    def instance(self, graph: GraphBatch) -> GraphBatch:
        """What a user brings, as instances of this problem: only the columns that it needs, in the form that it needs.

        Instances are instances already and stay as they are. Raises GraphError, naming what is wrong and the remedy,
        where that cannot be.
        """

    @abstractmethod
    def reset(self, instances: GraphBatch) -> GraphBatch:
        """The first state of each instance. A state without a legal action is over before it begins."""

    @abstractmethod
    def observe(self, state: GraphBatch) -> Observation:
        """What an agent sees of `state`, and what it may do."""

    @abstractmethod
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        """Play `action`, one legal action a graph ([B] int64, or [N, columns] where continuous). Never resets."""

    @abstractmethod
    def objective(self, state: GraphBatch) -> Tensor:
        """[B] float64: the value of the solution that `state` holds."""

    @abstractmethod
    def is_complete(self, state: GraphBatch) -> Tensor:
        """[B] bool: whether the solution that `state` holds is one."""

    @abstractmethod
    def solution(self, state: GraphBatch) -> Solution:
        """What `state`, a batch of one graph, says; nodes counted from 0."""

    def severity(self, state: GraphBatch, action: Tensor) -> Tensor:
        """[B] float32: how bad each illegal `action` [B] is, 1 unless a problem tells degrees apart."""
        return torch.ones(state.num_graphs, device=state.device)

    def cost(self, state: GraphBatch) -> Tensor:
        """[B] float64: the objective, turned so that less is better."""
        return -self.objective(state) if self.maximise else self.objective(state)


def chosen_nodes(state: GraphBatch, column: str) -> Solution:
    """The solution that consists of the nodes where a bool column is true."""
    return Solution(state.nodes[column].nonzero().squeeze(1), torch.empty(2, 0, dtype=torch.int64))
