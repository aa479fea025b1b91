"""What all experiments share: their options, and what a function must be to be one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from rich.console import Console

from graphwright.core import GraphBatch
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Problem, random_choice
from graphwright.envs.rollouts import play
from graphwright.experiments.report import Report

Mode = Literal["faithful", "corrected"]


@dataclass(frozen=True)
class ExperimentOptions:
    """How an experiment is run."""

    seeds: int = 5
    """Training runs of everything that is compared, with the seeds 0, 1, ..."""
    mode: Mode = "corrected"
    """faithful keeps the published settings; corrected says in its notes what it changes."""
    out: Path = Path("reproduced")
    """Folder for tables, figures and runs; finished runs in it are used again."""
    scale: float = 1.0
    """Training time and number of test graphs over those of the documentation; below 1 for a quick look."""
    workers: int = 2
    """Runs side by side, one thread each."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option."""
        if self.seeds < 1 or self.workers < 1 or not self.scale > 0:
            raise ValueError("--seeds, --workers: give at least 1; --scale: more than 0")

    def count(self, number: float) -> int:
        """`number`, scaled, and at least 1."""
        return max(1, round(number * self.scale))


Experiment = Callable[[ExperimentOptions, Console], Report]


def test_instances(problem: Problem, size: int, count: int) -> GraphBatch:
    """`count` test instances of `size` nodes, the same in every experiment."""
    return problem.generator(sizes=(size,))(count, torch.Generator().manual_seed(10_000 + size))


def mean_random(environment: Optimization, instances: GraphBatch) -> float:
    """The mean objective of random choice."""
    choose = random_choice(environment, torch.Generator().manual_seed(0))
    return float(environment.objective(play(environment, instances, choose)).mean())
