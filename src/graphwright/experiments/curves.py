"""Learning curves of the runs of an experiment: a line for each label, over its seeds."""

from __future__ import annotations

from collections.abc import Sequence

from graphwright.drawing.experiments import Line
from graphwright.experiments.runs import Trained
from graphwright.training.compare import group_runs
from graphwright.training.directory import METRICS_FILE
from graphwright.training.logging import MetricsFile


def learning_curves(trained: Sequence[Trained], metric: str) -> dict[str, Line]:
    """Label → the interquartile mean over seeds of a column of `metrics.csv`, with its 95 % interval.

    Raises ConfigError where runs lack the column.
    """
    found = {}
    for label in dict.fromkeys(run.job.label for run in trained):
        places = [run.directory for run in trained if run.job.label == label]
        group = group_runs(places, {place: MetricsFile(place / METRICS_FILE).rows() for place in places}, metric)
        middle, low, high = group.middle()
        found[label] = Line(group.steps.tolist(), middle.tolist(), low.tolist(), high.tolist())
    return found
