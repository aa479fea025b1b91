"""`graphwright train PROBLEM` and `graphwright resume RUN`."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.markup import escape

from graphwright.training.checkpoint import CONFIG_FILE
from graphwright.training.config import ConfigError, Device, TrainConfig
from graphwright.training.gflownet.config import FlowConfig
from graphwright.training.gflownet.trainer import FlowTrainer, resume_flow, train_flow
from graphwright.training.loop import Trainer, resume, train


@dataclass(frozen=True)
class Train:
    """Train a policy on random graphs."""

    problem: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROBLEM")]
    """Its name, as `graphwright problems` lists it; the defaults below are its own."""
    directory: Annotated[Path, tyro.conf.arg(name="run")]
    """Directory to make for the run."""
    config: Annotated[TrainConfig, tyro.conf.arg(name="")]

    def run(self) -> None:
        """Train, and say what came of it."""
        _report(self.directory, train(self.problem, self.config, self.directory))


@dataclass(frozen=True)
class TrainFlow:
    """Train a generative flow network."""

    task: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="TASK")]
    """Its name, as `graphwright problems` lists it; the defaults below are its own."""
    directory: Annotated[Path, tyro.conf.arg(name="run")]
    """Directory to make for the run."""
    config: Annotated[FlowConfig, tyro.conf.arg(name="")]

    def run(self) -> None:
        """Train, and say what came of it."""
        _report_flow(self.directory, train_flow(self.task, self.config, self.directory))


@dataclass(frozen=True)
class Resume:
    """Go on with an interrupted run, exactly where it stopped."""

    directory: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Directory of the run."""
    seconds: float | None = None
    """A new end: training time in all, the time so far included."""
    steps: int | None = None
    """A new end: environment steps, or trajectories of a flow network, in all."""
    threads: int | None = None
    """CPU threads; by default those of the run."""
    device: Device | None = None
    """Where the networks run; by default that of the run. Flow networks run on the CPU."""

    def run(self) -> None:
        """Go on, and say what came of it."""
        options: dict[str, Any] = {"seconds": self.seconds, "steps": self.steps, "threads": self.threads}
        if not is_flow_run(self.directory):
            _report(self.directory, resume(self.directory, device=self.device, **options))
        elif self.device == "cuda":
            raise ConfigError("--device cuda: flow networks run on the CPU only; leave it out")
        else:
            _report_flow(self.directory, resume_flow(self.directory, **options))


def is_flow_run(directory: Path) -> bool:
    """Whether a run directory is one of a flow network."""
    try:
        return "task" in json.loads((directory / CONFIG_FILE).read_text())
    except (OSError, ValueError, TypeError):
        return False  # whoever reads the directory says what is wrong with it


def _report_flow(directory: Path, trainer: FlowTrainer) -> None:
    counters = trainer.counters
    taken = f"{counters.steps:,} trajectories in {counters.seconds:.0f} s"
    if trainer.task.sampled.one_instance and math.isfinite(trainer.log_z):
        taken += f", log Z {trainer.log_z:.4f}"
    if trainer.exact is not None:
        distance = trainer.exact.total_variation(trainer.policy)
        taken += f" (exact {trainer.exact.log_z:.4f}), total variation {distance:.4f}"
    Console(stderr=True, highlight=False).print(f"{escape(str(directory))}: {taken}", soft_wrap=True)


def _report(directory: Path, trainer: Trainer) -> None:
    counters = trainer.counters
    gap = f"{100 * counters.best_gap:.2f} % worse than {trainer.validation.reference} on the validation graphs"
    taken = f"{counters.steps:,} steps in {counters.seconds:.0f} s; policy of update {counters.best_iteration}"
    Console(stderr=True, highlight=False).print(f"{escape(str(directory))}: {taken}, {gap}", soft_wrap=True)
