"""What every collector is: it lets a policy act, and hands out complete tables of what happened."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from torch import Tensor, nn


class Collected(NamedTuple):
    """What an algorithm learns from next, how many environment steps it took, and scalars to log."""

    batch: Any
    num_steps: int
    metrics: dict[str, Tensor]


class Collector(ABC):
    """Where batches come from. A context manager: its end frees what it holds, such as processes.

    progress: how much of the run is over, 0 to 1, for what changes with it.
    """

    progress: float = 0.0

    @property
    def steps_before_learning(self) -> int:
        """How many are still to be played before the first update, beyond those of one batch."""
        return 0

    @abstractmethod
    def collect(self, policy: nn.Module) -> Collected:
        """The next batch, `policy` acting."""

    def after(self, metrics: Mapping[str, Tensor]) -> None:  # noqa: B027 (nothing is an answer)
        """Called with what the algorithm said of the latest batch, when it has learned from it."""

    def state_dict(self) -> dict[str, Tensor]:
        """What has to be remembered between batches."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:  # noqa: B027
        """Go on from what `state_dict` returned."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:  # noqa: B027
        """By default there is nothing to free."""
