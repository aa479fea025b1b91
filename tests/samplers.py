"""Runs that learn to sample, as tests set them up."""

from __future__ import annotations

import dataclasses
from typing import Any

from graphwright.algorithms.registry import ALGORITHMS
from graphwright.envs.problem import Problem
from graphwright.training.config import TrainConfig
from graphwright.training.gflownet.collector import TrajectoriesConfig

OBJECTIVES: dict[str, Any] = {
    name: entry.load() for name, entry in ALGORITHMS.items() if entry.collector == "trajectories"
}
"""The classes of all objectives."""
COLLECTED = {field.name for field in dataclasses.fields(TrajectoriesConfig)}


def sampler_config(task: Problem | str, algorithm: str | None = None, **options: Any) -> TrainConfig:
    """`TrainConfig.for_problem` with options of the collection beside the others."""
    collection = {name: options.pop(name) for name in list(options) if name in COLLECTED}
    algorithm = algorithm or (None if isinstance(task, Problem) else "tb")
    return TrainConfig.for_problem(task, algorithm, collection=collection, **options)
