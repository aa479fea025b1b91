"""`graphwright sweep PROBLEM --over OPTION=LOW..HIGH`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console

from graphwright.algorithms.registry import find_algorithm
from graphwright.cli.commands import Parsing
from graphwright.cli.train import options_command
from graphwright.core.numbers import require_each
from graphwright.drawing.letters import printable
from graphwright.training.config import ConfigError, TrainConfig


@dataclass(frozen=True)
class SweepRuns:
    """Train many runs with settings that Optuna draws, stop bad ones early, and say what mattered.

    All options of `train` are those of every trial, --seed too: all learn on the same graphs and are validated on the
    same, so that they differ by what is drawn; --over seed=0..9 draws it as well. The same command goes on where a
    sweep was stopped.
    """

    problem: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROBLEM")]
    """Its name, as `graphwright problems` lists it, or your own as module:NAME."""
    config: Annotated[Any, tyro.conf.arg(name="")]
    directory: Annotated[Path | None, tyro.conf.arg(name="out")] = None
    """Folder of the sweep, made if need be; by default sweeps/PROBLEM."""
    over: tuple[str, ...] = ()
    """What is drawn: encoder.depth=2..5 ppo.learning-rate=1e-4..1e-2:log encoder.kind=gcn,gin."""
    trials: int = 20
    """Runs in all."""
    at_once: int = 1
    """Runs side by side, each with one thread."""
    file: Annotated[Path | None, tyro.conf.arg(name="config", metavar="FILE")] = None
    """Settings to begin with, which options on the command line change: a run's config.json, or a TOML of options."""
    trust: bool = False
    """Run code of its maker's own that the file of --config names."""

    def run(self) -> None:
        """Sweep, and print the report."""
        from graphwright.experiments.span import parse_span
        from graphwright.experiments.sweep import Sweep, run_sweep

        if not self.over:
            raise ConfigError("sweep: say what to draw, such as --over encoder.depth=2..5")
        require_each(self, "", ("trials", "at_once"))
        config = TrainConfig(**{each.name: getattr(self.config, each.name) for each in dataclasses.fields(TrainConfig)})
        prefix = find_algorithm(config.algorithm).load().options
        spans = tuple(map(parse_span, self.over))
        directory = self.directory or Path("sweeps") / self.problem.replace(":", "-")
        sweep = Sweep(self.problem, config.with_an_end(), prefix, spans, directory)
        report = run_sweep(sweep, self.trials, self.at_once, Console(stderr=True))
        print("\n".join(map(printable, report.splitlines())))


def sweep_command(words: Sequence[str]) -> Parsing:
    """`SweepRuns` with the options of what `words` say is trained and how. Raises ValueError."""
    return options_command(SweepRuns, words)
