"""Pools of environments: in this process, or in worker processes; what fails is made anew."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from typing_extensions import override

from graphwright.core import GraphError
from graphwright.core.own_code import in_one_line
from graphwright.core.seeds import derived_seed
from graphwright.workers.env_group import Actions, EnvFactory, EnvGroup, EnvStep, GroupStep
from graphwright.workers.env_worker import EnvWorker
from graphwright.workers.process import START_LIMIT, WorkerError, clean_context
from graphwright.workers.traces import with_place


class WorkerWarning(UserWarning):
    """An environment raised and was made anew, or a worker failed and was restarted: which, why and where."""


@dataclass(frozen=True)
class WorkerOptions:
    """How failures and worker processes are treated."""

    time_limit: float = 60.0
    """Seconds for a step of all of a worker's environments; then it counts as hung."""
    buffer_bytes: int = 1 << 24
    """Shared memory of each worker; arrays that do not fit are sent as messages."""
    max_failures: int = 10
    """After so many failures the next one is raised."""


@dataclass(frozen=True)
class WorkerFailure:
    """One failure of an environment or a worker.

    environments: those whose episodes were cut short. reason: with the traceback where there is one. num_lost: steps
    whose outcome is unknown.
    """

    environments: range
    reason: str
    num_lost: int


class EnvPool(Protocol):
    """Steps all environments; the steps come in one piece or more, in the order of the environments."""

    failures: list[WorkerFailure]

    def reset(self) -> list[GroupStep]:
        """Begin a new episode in every environment."""

    def step(self, actions: Actions) -> list[GroupStep]:
        """Play one action for each live graph."""

    def close(self) -> None:
        """Close all environments and end all processes."""


class LocalEnvPool(EnvPool):
    """All environments in this process.

    One that raises in a step loses its episode, which ends at the last observation: it is made anew, and a
    `WorkerWarning` gives the reason. What it raises in `reset`, GraphError, and one failure more than `max_failures`
    are raised.
    """

    def __init__(self, makes: Sequence[EnvFactory], seed: int, options: WorkerOptions) -> None:
        self.failures: list[WorkerFailure] = []
        self.makes, self.seed, self.options = makes, seed, options
        if not makes:
            raise ValueError("num_envs=0: give at least 1")
        self.group = EnvGroup([make() for make in makes])

    @override
    def reset(self) -> list[GroupStep]:
        return [self.group.reset([self._seed_of(place) for place in range(len(self.makes))])]

    @override
    def step(self, actions: Actions) -> list[GroupStep]:
        steps: list[GroupStep] = []
        played: list[EnvStep] = []
        for place, own in enumerate(self.group.divide(actions)):
            try:
                played.append(self.group.step_one(place, own))
            except GraphError:
                raise
            except Exception as error:
                steps += [self.group.packed(played)] if played else []
                played = []
                steps.append(self._replace(place, len(own), error))
        return [*steps, self.group.packed(played)] if played else steps

    @override
    def close(self) -> None:
        self.group.close()

    def _seed_of(self, place: int) -> int:
        return derived_seed(self.seed, place, len(self.failures), bits=32)

    def _replace(self, place: int, num_lost: int, error: Exception) -> GroupStep:
        """The end of the episode of an environment that raised, and the beginning of one that replaces it."""
        reason = "".join(traceback.format_exception(error)).strip()
        self.failures.append(WorkerFailure(range(place, place + 1), reason, num_lost))
        if len(self.failures) > self.options.max_failures:
            raise error
        line = with_place(in_one_line(error), reason)
        warnings.warn(f"environment {place} was made anew, its episode is lost: {line}", WorkerWarning, stacklevel=5)
        with suppress(Exception):  # it has failed already
            self.group.envs[place].close()
        self.group.envs[place] = self.makes[place]()
        return lost_step(num_lost, self.group.packed([self.group.reset_one(place, self._seed_of(place))]))


class WorkerEnvPool(EnvPool):
    """Environments in `num_workers` processes, each with consecutive environments and a buffer of its own.

    When a worker fails, its episodes end at their last observations, a new worker starts, and a `WorkerWarning` gives
    the reason. Raises WorkerError for a failure in `reset`, and for one failure more than `max_failures`; GraphError
    for what does not fit of an observation.
    """

    def __init__(self, makes: Sequence[EnvFactory], num_workers: int, seed: int, options: WorkerOptions) -> None:
        if not 0 < num_workers <= len(makes):
            raise ValueError(f"workers={num_workers} for {len(makes)} environments; give 0 to {len(makes)}")
        self.failures: list[WorkerFailure] = []
        self.seed, self.options = seed, options
        context = clean_context("graphwright.workers.env_worker")
        bounds = [len(makes) * place // num_workers for place in range(num_workers + 1)]
        self.environments = [range(*bounds[place : place + 2]) for place in range(num_workers)]
        self.workers = [
            EnvWorker(context, makes[places.start : places.stop], places.start, options.buffer_bytes)
            for places in self.environments
        ]

    @override
    def reset(self) -> list[GroupStep]:
        for worker, places in zip(self.workers, self.environments, strict=True):
            self._reset(worker, places)
        return [worker.receive(START_LIMIT) for worker in self.workers]

    @override
    def step(self, actions: Actions) -> list[GroupStep]:
        start = 0
        for worker in self.workers:
            worker.step(actions[start : start + worker.num_live])
            start += worker.num_live
        return [self._receive(place) for place in range(len(self.workers))]

    @property
    def num_messages(self) -> int:
        """Arrays that came as messages, since they did not fit into a buffer."""
        return sum(worker.num_messages for worker in self.workers)

    @override
    def close(self) -> None:
        for worker in self.workers:
            worker.close()

    def _reset(self, worker: EnvWorker, places: range) -> None:
        attempt = len(self.failures)
        worker.reset([derived_seed(self.seed, place, attempt, bits=32) for place in places])

    def _receive(self, place: int) -> GroupStep:
        """The step of a worker; after a failure, truncation of its episodes and the first observations of new ones."""
        worker, places = self.workers[place], self.environments[place]
        num_lost = worker.num_live
        try:
            return worker.receive(self.options.time_limit)
        except WorkerError as error:
            self.failures.append(WorkerFailure(places, error.report, num_lost))
            if len(self.failures) > self.options.max_failures:
                raise
            message = f"the worker of environments {places.start} to {places.stop - 1} was restarted: {error.line}"
            warnings.warn(message, WorkerWarning, stacklevel=5)
        self._reset(worker, places)
        return lost_step(num_lost, worker.receive(START_LIMIT))


def lost_step(num_lost: int, fresh: GroupStep) -> GroupStep:
    """A step of unknown outcome of `num_lost` graphs, truncated without a reward, before the `fresh` episodes."""
    nothing = np.zeros(num_lost, bool)
    return GroupStep(fresh.live, None, nothing.astype(np.float32), nothing, ~nothing, fresh.num_live, lost=True)
