"""What a reward measures of objects, in this process or in workers, and what is said of an object that it fails on."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.generation import Measure, Reward
from graphwright.envs.generative.exports import described
from graphwright.envs.reversible import Reversible
from graphwright.training.collectors.play import ConfigError
from graphwright.training.gflownet.conditions import unconditioned
from graphwright.training.gflownet.remembered import Remembered
from graphwright.workers.process import WorkerLost
from graphwright.workers.reward_workers import RewardError, RewardWarning, RewardWorkers

Measures = Callable[[GraphBatch], Tensor]
"""From finished objects [B] to [B, K] float64."""


class ObjectMeasures:
    """`Reward.measure` of an environment's objects, computed by `num_workers` processes, or here if 0.

    Each object is measured once, as long as it is remembered.
    name: of the problem. Use it as a context manager. Raises ConfigError for a reward that cannot be sent to a process.
    """

    def __init__(self, name: str, environment: Reversible, reward: Reward, num_workers: int = 0) -> None:
        self.name = name
        self.environment = environment
        try:
            measure = Measure(environment, reward)
            self.workers = RewardWorkers(measure, num_workers, num_objectives=reward.num_measures)
        except TypeError as error:
            raise ConfigError(f"--reward-workers {num_workers}: the reward {error}") from None
        self.remembered = Remembered(self._measured)

    def __call__(self, objects: GraphBatch) -> Tensor:
        """[B, K] float64. Raises ValueError, naming the object, where a number is not finite, or there is none."""
        return self.remembered(unconditioned(objects, self.environment.features))

    def _measured(self, objects: GraphBatch) -> Tensor:
        measures = self._computed(objects)
        if not bool((right := measures.isfinite().all(1)).all()):
            wrong = int((~right).nonzero()[0])
            raise ValueError(
                f"{self.name}: the reward of an object is {_fault(measures[wrong])}: "
                f"{described(self.environment, objects, wrong)}"
            )
        return measures

    def _computed(self, objects: GraphBatch) -> Tensor:
        try:
            return self.workers(objects)
        except RewardError as error:
            if isinstance(error.__cause__, WorkerLost):
                self._try_each(objects)
            raise

    def _try_each(self, objects: GraphBatch) -> None:
        """Raise RewardError, naming it, where an object alone ends a worker or takes too long."""
        for place in range(objects.num_graphs):
            try:
                with warnings.catch_warnings(action="ignore", category=RewardWarning):
                    self.workers(objects.select(torch.tensor([place])))
            except RewardError as error:
                shown = described(self.environment, objects, place)
                reason = error.__cause__
                raise RewardError(f"{self.name}: the reward of an object fails: {reason}; of {shown}") from reason

    def of(self, objects: GraphBatch, chosen: Tensor) -> Tensor:
        """[B, K] float64: those of the objects where `chosen` [B] is true; 0 of the others, which are not looked at."""
        found = self(objects.select(chosen.nonzero().squeeze(1)))
        measures = torch.zeros(objects.num_graphs, found.shape[1], dtype=torch.float64)
        return measures.index_copy(0, chosen.nonzero().squeeze(1), found)

    def __enter__(self) -> ObjectMeasures:
        self.workers.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.workers.__exit__(*error)


def _fault(measured: Tensor) -> str:
    """What is wrong with the numbers of an object, and the remedy."""
    if bool(measured.isnan().any()):
        return "no number (NaN); give one for every object"
    if measured.tolist() == [-math.inf]:  # its logarithm
        return "0; give it a floor, such as 1e-8"
    return "infinite; give a finite one"
