"""Objects that are given: data sets that are learned from, and those whose likelihood is watched."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import torch

from graphwright.core import GraphBatch
from graphwright.envs.conformance import ConformanceError, check_environment
from graphwright.envs.generative.legality import check_objects, check_playable
from graphwright.envs.generative.reading import read_objects
from graphwright.envs.problem import Problem
from graphwright.envs.registry import PROBLEMS
from graphwright.envs.reversible import Reversible
from graphwright.training.collectors.play import ConfigError
from graphwright.training.gflownet.sources import SourcesConfig

_INSTANCES, _STEPS = 4, 1000
_checked: deque[Reversible] = deque(maxlen=64)


def given_objects(
    problem: Problem, environment: Reversible, option: str, path: str | None, data: GraphBatch | None
) -> GraphBatch | None:
    """The objects of the file at `path`, or `data`, each of which can be built; None where neither is given.

    Raises ConfigError, naming the option, the first object that is none, and why.
    """
    if path is None and data is None:
        return None
    generator = torch.Generator().manual_seed(0)
    instance = problem.sampled.instances(environment, 1, generator)
    try:
        if data is None:
            assert path is not None
            objects, names = read_objects(Path(path), environment, instance)
        else:
            objects, names = data, [f"object {place} of data" for place in range(data.num_graphs)]
        if not objects.num_graphs:
            raise ValueError("data: holds no object")
        if problem.sampled.one_instance:
            check_objects(environment, instance, objects, names, generator)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from None
    return objects


def learned_from(
    problem: Problem, environment: Reversible, sources: SourcesConfig, data: GraphBatch | None
) -> GraphBatch | None:
    """`given_objects` that are learned from. Raises ConfigError, too, where a number of none is asked for."""
    found = given_objects(problem, environment, "--sources.data", sources.data, data)
    if found is None and sources.from_data not in (0, SourcesConfig.from_data):
        raise ConfigError(
            f"--sources.from-data {sources.from_data}: there is no data; give --sources.data FILE, in Python data="
        )
    return found


def require_playable(problem: Problem, environment: Reversible) -> None:
    """Raise ConfigError, naming rule and state, where an environment of a user's own cannot be learned in.

    One that has been checked is not checked again in the same process, as for every run of a sweep.
    """
    if problem.name in PROBLEMS or any(one is environment for one in _checked):
        return
    generator = torch.Generator().manual_seed(0)
    try:
        check_playable(environment, problem.sampled.instances(environment, 64, generator), generator)
        check_environment(environment, problem.sampled.instances(environment, _INSTANCES, generator), max_steps=_STEPS)
    except (ConformanceError, ValueError) as error:
        raise ConfigError(f"{problem.name}: {error}") from None
    _checked.append(environment)
