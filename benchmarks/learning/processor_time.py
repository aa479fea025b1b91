"""A run whose seconds are those of the processor, so that what else a machine does costs it nothing."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from graphwright.envs.problem import Problem
from graphwright.training.config import TrainConfig
from graphwright.training.train import new_run
from graphwright.training.training_run import TrainingRun


def learned(problem: Problem | str, config: TrainConfig) -> TrainingRun:
    """The run after its `seconds`, without evaluations on the way and without files."""
    with tempfile.TemporaryDirectory() as folder:
        training = new_run(problem, config, Path(folder) / "run")
    training.algorithm.begin(lambda: training.collector.collect(training.policy).batch)
    start = time.process_time()
    while training.progress < 1:
        training.iterate()
        training.counters.seconds = time.process_time() - start
    return training
