"""The contract of an environment: a batch of independent problems as pure functions of tensors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step


class Environment(ABC):
    """Rules of a problem. All state lives in the `GraphBatch`; an environment holds nothing but its options.

    An instance is a problem to solve; a state is an instance with the columns that `reset` adds. Every method treats
    the graphs of a batch independently of each other and leaves its arguments as they were.
    """

    features: ClassVar[Features]
    actions: ClassVar[ActionSpec]

    @abstractmethod
    def instance(self, graph: GraphBatch) -> GraphBatch:
        """What a user brings, as instances of this problem: only the columns that it needs, in the form that it needs.

        Raises GraphError, naming what is wrong and the remedy, where that cannot be.
        """

    @abstractmethod
    def reset(self, instances: GraphBatch) -> GraphBatch:
        """The first state of each instance. A state without a legal action is over before it begins."""

    @abstractmethod
    def observe(self, state: GraphBatch) -> Observation:
        """What an agent sees of `state`, and what it may do."""

    @abstractmethod
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        """Play `action` [B] int64, one legal action a graph. Never resets."""

    @abstractmethod
    def cost(self, state: GraphBatch) -> Tensor:
        """[B] float64: the objective of the solution that `state` holds, to be minimised."""

    @abstractmethod
    def is_complete(self, state: GraphBatch) -> Tensor:
        """[B] bool: whether the solution that `state` holds is one."""
