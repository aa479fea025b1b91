"""Learning curves of the runs of an experiment: a line for each label, over its seeds."""

from __future__ import annotations

from collections.abc import Sequence

from graphwright.drawing.experiments import Line
from graphwright.experiments.runs import Trained
from graphwright.training.compare import compare


def learning_curves(trained: Sequence[Trained], metric: str) -> dict[str, Line]:
    """Label → the interquartile mean over seeds of a column of `metrics.csv`, with its 95 % interval.

    Raises ConfigError where runs lack the column.
    """
    found = {}
    for label in dict.fromkeys(run.job.label for run in trained):
        places = [run.directory for run in trained if run.job.label == label]
        _, (group,) = compare(places, trust=True, metric=metric)
        middle, low, high = group.middle()
        found[label] = Line(group.steps.tolist(), middle.tolist(), low.tolist(), high.tolist())
    return found
