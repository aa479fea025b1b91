"""Crews: who plays the sessions. In this process, or in workers that are restarted when they fail."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from graphwright.frameworks.foreign.sessions import Actions, Host, Report, Session, seed_of
from graphwright.frameworks.foreign.worker import Worker
from graphwright.workers.process import START_LIMIT, WorkerError, clean_context

MakeSession = Callable[[], Session]


class WorkerFailure(UserWarning):
    """A worker failed and was restarted."""


@dataclass(frozen=True)
class WorkerOptions:
    """How worker processes are treated."""

    time_limit: float = 60.0
    """Seconds for a step of all of a worker's environments; then it counts as hung."""
    buffer_bytes: int = 1 << 24
    """Shared memory of each worker; what finds no room in it is sent as a message."""
    max_failures: int = 10
    """After so many failures the next one is raised."""


@dataclass(frozen=True)
class Failure:
    """One failure. environments: whose episodes were cut short; reason: with a traceback, where there is one.

    num_lost: steps whose outcome is unknown.
    """

    environments: range
    reason: str
    num_lost: int


class Crew(Protocol):
    """Plays all environments, in one report or more, in the order of the environments."""

    failures: list[Failure]

    def begin(self) -> list[Report]:
        """New episodes of all."""

    def step(self, actions: Actions) -> list[Report]:
        """Play one action for each live graph."""

    def close(self) -> None:
        """End everything that was started."""


class LocalCrew:
    """All sessions in this process; what an environment raises is raised."""

    def __init__(self, makes: Sequence[MakeSession], seed: int) -> None:
        self.failures: list[Failure] = []
        self.host = Host([make() for make in makes])
        self.seeds = [seed_of(seed, place) for place in range(len(makes))]

    def begin(self) -> list[Report]:
        """See `Crew`."""
        return [self.host.begin(self.seeds)]

    def step(self, actions: Actions) -> list[Report]:
        """See `Crew`."""
        return [self.host.step(actions)]

    def close(self) -> None:
        """See `Crew`."""
        self.host.close()


class WorkerCrew:
    """Sessions in `num_workers` processes, each with consecutive environments and a buffer of its own.

    When a worker fails, its episodes end where they were last seen, a new worker takes its place, and a
    `WorkerFailure` warning tells why. Raises WorkerError for a failure at the beginning of episodes, and for one more
    than `max_failures`.
    """

    def __init__(self, makes: Sequence[MakeSession], num_workers: int, seed: int, options: WorkerOptions) -> None:
        if not 0 < num_workers <= len(makes):
            raise ValueError(f"workers={num_workers} for {len(makes)} environments; give 0 to {len(makes)}")
        self.failures: list[Failure] = []
        self.seed, self.options = seed, options
        context = clean_context("graphwright.frameworks.foreign.worker")
        bounds = [len(makes) * place // num_workers for place in range(num_workers + 1)]
        self.environments = [range(*bounds[place : place + 2]) for place in range(num_workers)]
        self.workers = [
            Worker(context, makes[places.start : places.stop], places.start, options.buffer_bytes)
            for places in self.environments
        ]

    def begin(self) -> list[Report]:
        """See `Crew`."""
        for worker, places in zip(self.workers, self.environments, strict=True):
            self._start(worker, places)
        return [worker.receive(START_LIMIT) for worker in self.workers]

    def step(self, actions: Actions) -> list[Report]:
        """See `Crew`."""
        start = 0
        for worker in self.workers:
            worker.send("step", actions[start : start + worker.num_live])
            start += worker.num_live
        return [self._receive(place) for place in range(len(self.workers))]

    @property
    def num_messages(self) -> int:
        """Arrays that came as messages, since they found no room in a buffer."""
        return sum(worker.num_messages for worker in self.workers)

    def close(self) -> None:
        """See `Crew`."""
        for worker in self.workers:
            worker.close()

    def _start(self, worker: Worker, places: range) -> None:
        attempt = len(self.failures)
        worker.start()
        worker.send("begin", [seed_of(self.seed, place, attempt) for place in places])

    def _receive(self, place: int) -> Report:
        """The report of a worker; after a failure, what can be said without one, and a new beginning."""
        worker, places = self.workers[place], self.environments[place]
        num_lost = worker.num_live
        try:
            return worker.receive(self.options.time_limit)
        except WorkerError as error:
            self.failures.append(Failure(places, str(error), num_lost))
            if len(self.failures) > self.options.max_failures:
                raise
            message = f"the worker of environments {places.start} to {places.stop - 1} was restarted: {error}"
            warnings.warn(message, WorkerFailure, stacklevel=5)
        self._start(worker, places)
        fresh = worker.receive(START_LIMIT)
        nothing = np.zeros(num_lost, bool)
        return Report(fresh.live, None, nothing.astype(np.float32), nothing, ~nothing, fresh.num_live, lost=True)
