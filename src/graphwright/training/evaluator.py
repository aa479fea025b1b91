"""What all evaluators are: they watch a policy while it learns, and choose the best one by a number."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from torch import Tensor
from typing_extensions import override

from graphwright.drawing.curves import plot_returns

Rows = Sequence[Mapping[str, float]]
"""Of `metrics.csv`."""


class Evaluator(ABC):
    """Watches a policy.

    every: updates between evaluations. metric: the one of the numbers that the best policy is chosen by; None where the
    last policy is the one to use. better: whether the lower or the higher value of it is.
    """

    metric: str | None = None
    better: Literal["lower", "higher"] = "lower"

    def __init__(self, every: int) -> None:
        self.every = every

    @abstractmethod
    def evaluate(self, policy: Any) -> dict[str, float]:
        """Numbers by name; the same for the same policy."""

    def improves(self, found: Mapping[str, float], best: float | None) -> bool:
        """Whether what `evaluate` found makes the policy the best, where the best had `best` of `metric`."""
        assert self.metric is not None
        sign = 1 if self.better == "lower" else -1
        return best is None or math.isnan(best) or sign * found[self.metric] < sign * best

    def write(self, directory: Path) -> None:  # noqa: B027 (nothing is an answer)
        """Write what it has to say beside the metrics, whenever a checkpoint is written."""

    def state_dict(self) -> dict[str, Tensor]:
        """What has to be remembered between evaluations."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:  # noqa: B027
        """Go on from what `state_dict` returned."""

    def line(self, row: Mapping[str, float], best: float | None) -> str:
        """What the terminal shows of an iteration's numbers and the best value of `metric` so far."""
        shown = returned(row)
        return shown if best is None else f"{shown}  best {self.metric} {best:.4g}"

    def plot(self, rows: Rows, path: Path) -> None:
        """Draw the learning curve."""
        plot_returns(rows, path)


def returned(row: Mapping[str, float]) -> str:
    """The mean return of the episodes that ended lately; what was learned from a recording, or played on, has none."""
    value = row.get("return", math.nan)
    return "" if math.isnan(value) else f"return {value:.3f}"


class NoEvaluator(Evaluator):
    """Measures nothing, so that the last policy is the one to use."""

    def __init__(self) -> None:
        super().__init__(every=1)

    @override
    def evaluate(self, policy: Any) -> dict[str, float]:
        return {}
