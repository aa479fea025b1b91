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
