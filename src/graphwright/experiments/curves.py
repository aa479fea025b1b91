"""Learning curves of the runs of an experiment: a line for each label, over its seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from graphwright.experiments.runs import Trained
from graphwright.training.compare import compare

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Curve:
    """steps, middle, low, high: [P] each, the interquartile mean over seeds and the ends of its 95 % interval."""

    steps: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def first(self) -> float:
        """Where it begins."""
        return float(self.middle[0])

    @property
    def last(self) -> float:
        """Where it ends."""
        return float(self.middle[-1])


def learning_curves(trained: Sequence[Trained], metric: str) -> dict[str, Curve]:
    """Label → the curve of `metric`, a column of `metrics.csv`. Raises ConfigError where runs lack it."""
    found = {}
    for label in dict.fromkeys(run.job.label for run in trained):
        places = [run.directory for run in trained if run.job.label == label]
        _, (group,) = compare(places, trust=True, metric=metric)
        found[label] = Curve(group.steps, *group.middle())
    return found


def draw_curves(axes: Axes, curves: Sequence[Curve], metric: str) -> None:
    """A line for each, in matplotlib's own order of colours; of a gap in percent, with a logarithmic axis."""
    percent = metric == "validation_gap"
    scale = 100 if percent else 1
    for number, curve in enumerate(curves):
        axes.plot(curve.steps, scale * curve.middle, color=f"C{number}", linewidth=1.4)
        axes.fill_between(
            curve.steps, scale * curve.low, scale * curve.high, color=f"C{number}", alpha=0.2, linewidth=0
        )
    axes.set(xlabel="environment steps", ylabel="validation: % worse" if percent else metric.replace("_", " "))
    if percent:
        axes.set_yscale("log")
