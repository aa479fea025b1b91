"""Averages of what never ends, over the slots of one run without resets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from graphwright.core import GraphBatch
from graphwright.envs.endless import Endless
from graphwright.envs.environment import Environment
from graphwright.envs.problem import Problem
from graphwright.training.acting import Act
from graphwright.training.collectors.play import ConfigError

BACKLOG, ARRIVED, DEPARTED = "backlog", "arrived", "departed"


@torch.no_grad()
def run(environment: Endless, act: Act, instances: GraphBatch, slots: int, seed: int) -> dict[str, np.ndarray]:
    """Name → [slots, B]: what `environment.averages` says after each period of one endless run of each instance."""
    environment = environment.without_cuts()
    state = environment.reset(environment.reseeded(instances, seed))
    names = list(environment.averages(state))
    series = {name: np.zeros((slots, instances.num_graphs)) for name in names}
    done = np.zeros(instances.num_graphs, dtype=np.int64)
    every = np.arange(instances.num_graphs)
    while done.min(initial=slots) < slots:
        state = environment.step(state, act(state)).state
        periods = environment.periods(state)
        now = done + 1 if periods is None else periods.numpy()
        rows = every[(now > done) & (now <= slots)]
        for name, values in environment.averages(state).items():
            series[name][now[rows] - 1, rows] = values.numpy()[rows]
        done = now
    return series


def require_endless(problem: Problem, environment: Environment) -> Endless:
    """`environment`. Raises ConfigError where it is not one that never ends."""
    if not isinstance(environment, Endless):
        raise ConfigError(f"{problem.name}: its episodes end, so it has returns, not averages over slots")
    return environment


def mean_backlog(environment: Endless, act: Act, instances: Sequence[GraphBatch], slots: int, seed: int) -> float:
    """The mean over batches of the mean backlog of their instances."""
    found = [run(environment, act, batch, slots, seed)[BACKLOG].mean() for batch in instances]
    return float(sum(found) / len(found))
