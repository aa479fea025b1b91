"""`graphwright train PROBLEM` and `graphwright resume RUN`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.markup import escape

from graphwright.training.config import Device, TrainConfig
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
class Resume:
    """Go on with an interrupted run, exactly where it stopped."""

    directory: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Directory of the run."""
    seconds: float | None = None
    """A new end: training time in all, the time so far included."""
    steps: int | None = None
    """A new end: environment steps in all."""
    threads: int | None = None
    """CPU threads; by default those of the run."""
    device: Device | None = None
    """Where the networks run; by default that of the run."""

    def run(self) -> None:
        """Go on, and say what came of it."""
        trainer = resume(
            self.directory, seconds=self.seconds, steps=self.steps, threads=self.threads, device=self.device
        )
        _report(self.directory, trainer)


def _report(directory: Path, trainer: Trainer) -> None:
    counters = trainer.counters
    gap = f"{100 * counters.best_gap:.2f} % worse than {trainer.validation.reference} on the validation graphs"
    taken = f"{counters.steps:,} steps in {counters.seconds:.0f} s; policy of update {counters.best_iteration}"
    Console(stderr=True, highlight=False).print(f"{escape(str(directory))}: {taken}, {gap}", soft_wrap=True)
