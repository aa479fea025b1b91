"""Runs whose seconds are those of the processor, so that what else a machine does costs them nothing."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from typing_extensions import override

from graphwright.envs.problem import Problem
from graphwright.training.callbacks import Callback, Row
from graphwright.training.config import TrainConfig
from graphwright.training.runner import Runner
from graphwright.training.train import new_run
from graphwright.training.training_run import TrainingRun


class ProcessorClock(Callback):
    """Counts the seconds of a run as the processor does, those of its evaluations among them."""

    @override
    def on_begin(self, run: Runner) -> None:
        self._start = time.process_time() - run.counters.seconds

    @override
    def on_iteration(self, run: Runner, row: Row) -> None:
        run.counters.seconds = time.process_time() - self._start


def learned(problem: Problem | str, config: TrainConfig) -> TrainingRun:
    """The run after its `seconds`, without evaluations on the way and without files."""
    with tempfile.TemporaryDirectory() as folder:
        training = new_run(problem, config, Path(folder) / "run")
    clock = ProcessorClock()
    training.algorithm.begin(lambda: training.collector.collect(training.policy).batch)
    clock.on_begin(training)
    while training.progress < 1:
        clock.on_iteration(training, training.iterate())
    return training
