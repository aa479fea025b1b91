"""Runs beside each other: their learning curves, and where each way of learning ends."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graphwright.training.checkpoint import CONFIG_FILE
from graphwright.training.collectors.play import ConfigError
from graphwright.training.config_json import parse_json
from graphwright.training.directory import METRICS_FILE, settings_text
from graphwright.training.logging import MetricsFile
from graphwright.training.statistics import Interval, stratified_interval

METRICS = ("validation_gap", "validation_return", "validation_backlog", "total_variation", "return")
"""What is compared, the first that all runs have."""
POINTS = 50
"""Of a curve."""
_NO_DIFFERENCE = ("format", "seed", "threads", "device", "checkpoint_seconds")
"""Settings in which runs of one way of learning may differ."""


@dataclass(frozen=True)
class RunGroup:
    """Runs that differ in nothing but their seed. name: of the first, without its seed. runs: their directories.

    steps: [POINTS], from where the last of them was first measured to where the first one ends. curves: [runs, POINTS],
    the metric there, on a straight line between two measurements. last: the interquartile mean of what was measured
    last by the end, with its interval by the bootstrap over runs.
    """

    name: str
    runs: tuple[Path, ...]
    steps: np.ndarray
    curves: np.ndarray
    last: Interval

    def middle(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The interquartile mean of the curves with its interval, [POINTS] each."""
        spans = [stratified_interval(column[:, None], resamples=500) for column in self.curves.T]
        return tuple(np.array(values) for values in zip(*spans, strict=True))  # type: ignore[return-value]


def compare(directories: Sequence[Path], metric: str | None = None) -> tuple[str, list[RunGroup]]:
    """The metric that is compared, and a group for each way of learning.

    Settings and measurements are read as they were written: nothing that they name is imported.

    metric: a column of `metrics.csv`; None: the first of `METRICS` that all runs have. Raises ConfigError, naming the
    directory.
    """
    runs: dict[Path, list[dict[str, float]]] = {}
    kinds: dict[Path, dict[str, Any]] = {}
    for directory in directories:
        if directory.resolve() in map(Path.resolve, runs):
            raise ConfigError(f"compare: {directory} is named twice")
        kinds[directory] = _settings(directory)
        measured = MetricsFile(directory / METRICS_FILE).rows()
        rows = [row for row in measured if math.isfinite(row.get("steps", math.nan))]
        if not rows:
            raise ConfigError(f"{directory / METRICS_FILE}: has no rows; the run has not begun to learn")
        runs[directory] = rows
    problems = {str(settings.get("problem", "environments of others")) for settings in kinds.values()}
    if len(problems) > 1:
        raise ConfigError(f"compare: these are runs of {' and '.join(sorted(problems))}; name those of one problem")
    metric = _metric(list(runs.values()), METRICS if metric is None else (metric,))
    grouped: dict[str, list[Path]] = {}
    for directory, settings in kinds.items():
        way = {name: value for name, value in settings.items() if name not in _NO_DIFFERENCE}
        grouped.setdefault(json.dumps(way, sort_keys=True), []).append(directory)
    return metric, [group_runs(places, runs, metric) for places in grouped.values()]


def _metric(runs: Sequence[Sequence[Mapping[str, float]]], names: Sequence[str]) -> str:
    measured = ({name for row in rows for name, value in row.items() if not math.isnan(value)} for rows in runs)
    shared = set.intersection(*measured)
    for name in names:
        if name in shared:
            return name
    shared -= {"iteration", "steps"}
    wanted = names[0] if len(names) == 1 else f"one of {', '.join(names)}"
    raise ConfigError(
        f"compare: not all runs have measured {wanted}; they share {', '.join(sorted(shared)) or 'nothing'}"
    )


def _settings(directory: Path) -> dict[str, Any]:
    """Of a run, as they were written."""
    text = settings_text(directory)
    try:
        settings = parse_json(text)
    except ConfigError as error:
        raise ConfigError(f"{directory / CONFIG_FILE}: {error}") from None
    if not isinstance(settings, dict):
        raise ConfigError(f"{directory / CONFIG_FILE}: holds no settings of a run")
    return settings


def group_runs(places: Sequence[Path], runs: Mapping[Path, Sequence[Mapping[str, float]]], metric: str) -> RunGroup:
    """The runs at `places` as one group, whatever their settings. runs: directory → the rows of its `metrics.csv`.

    Raises ConfigError where one of them lacks the metric.
    """
    _metric([runs[place] for place in places], (metric,))
    end = min(runs[place][-1]["steps"] for place in places)
    begin = max(_measured(runs[place], metric)[0][0] for place in places)
    steps = np.linspace(min(begin, end), end, POINTS)
    measured = [_measured(runs[place], metric) for place in places]
    curves = np.stack([np.interp(steps, where, values) for where, values in measured])
    last = np.array([values[max(int(np.searchsorted(where, end, side="right")) - 1, 0)] for where, values in measured])
    name = places[0].name if len(places) == 1 else f"{places[0].name} and {len(places) - 1} more"
    return RunGroup(name, tuple(places), steps, curves, stratified_interval(last[:, None]))


def _measured(rows: Sequence[Mapping[str, float]], metric: str) -> tuple[np.ndarray, np.ndarray]:
    """After how many steps the metric was measured, and what it was, [n] each."""
    known = [(row["steps"], row[metric]) for row in rows if not math.isnan(row.get(metric, math.nan))]
    where, values = (np.array(part) for part in zip(*known, strict=True))
    return where, values
