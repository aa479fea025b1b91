"""The contract of an environment: a batch of independent Markov decision processes as pure functions of tensors."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step


class Environment(ABC):
    """A Markov decision process on graphs. All state lives in the `GraphBatch`; an environment holds only its options.

    An instance is what an episode is about; a state is an instance with the columns that `reset` adds. Every method
    treats the graphs of a batch independently of each other and leaves its arguments as they were.

    What some environments can do beyond that is a capability, a subclass in a file of its own, and an environment may
    have several: `Optimization`, `Reversible`, `Game`, `Endless`, `Team`.
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
    def edits_graph(self) -> bool:
        """Whether steps change nodes, edges or columns of the instance itself, so that states are stored whole."""
        return False

    @abstractmethod
    def reset(self, instances: GraphBatch) -> GraphBatch:
        """The first state of each instance. A state without a legal action is over before it begins."""

    @abstractmethod
    def observe(self, state: GraphBatch) -> Observation:
        """What an agent sees of `state`, and what it may do."""

    @abstractmethod
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        """Play `action`, a legal one for each decision: [D] int64, or [D, columns] where continuous. Never resets."""
