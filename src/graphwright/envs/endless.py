"""The capability to go on for ever."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.environment import Environment


class Endless(Environment):
    """A task that never terminates, so that what counts is an average over time. A wrapper may truncate episodes."""

    @abstractmethod
    def averages(self, state: GraphBatch) -> Mapping[str, Tensor]:
        """Name → [B] float64: what is averaged over time of each graph, such as a backlog, as it is in `state`."""

    def periods(self, state: GraphBatch) -> Tensor | None:
        """[B] int64: how many periods, over which is averaged, are over; None where each step is one.

        `averages` are those of the last of them.
        """
        return None

    def reseeded(self, instances: GraphBatch, seed: int) -> GraphBatch:
        """`instances` with another run of chance for each `seed`; as they are, where there is no chance in them."""
        return instances

    def without_cuts(self) -> Endless:
        """The same task as it goes on for ever, where an option truncates it; itself, where none does."""
        return self

    def load(self, instances: GraphBatch) -> Tensor | None:
        """[B] float64: how much of what can be done at most is asked for; from 1 on, no average exists.

        None where nothing is known of it.
        """
        return None

    @property
    def load_bound(self) -> str:
        """Which bound `load` compares with, in words."""
        return ""
