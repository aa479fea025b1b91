"""Training a policy on a problem, in a run directory, and going on with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor
from typing_extensions import override

from graphwright.data.sources import GeneratedInstances
from graphwright.drawing.curves import plot_curve
from graphwright.envs.problem import Problem
from graphwright.envs.registry import resolve
from graphwright.nn import GraphPolicy
from graphwright.training.agent import Agent, find_device, make_learning_policy, make_policy, read_config
from graphwright.training.checkpoint import with_prefix, without_prefix
from graphwright.training.config import Device, TrainConfig, to_json, use_threads
from graphwright.training.learner import make_learner
from graphwright.training.logging import MetricsFile
from graphwright.training.run import Counters, Run, copied, new_directory, with_an_end, with_another_end
from graphwright.training.validation import make_validation


class Trainer(Run):
    """A policy learns a problem; the one that validates best is what the run leaves."""

    config: TrainConfig
    policy: GraphPolicy
    judgement = ("validation_gap",)

    def __init__(self, problem: Problem, config: TrainConfig, directory: Path) -> None:
        use_threads(config.threads)
        device = find_device(config.device)
        self.problem = problem
        self.config = config
        self.directory = directory
        instances = config.instance_generator(problem)
        self.validation = make_validation(problem, config, device)
        self.policy = make_learning_policy(config, device)
        self.generator = torch.Generator(device).manual_seed(config.seed)
        self.source = GeneratedInstances(instances, config.seed, device)
        self.learner = make_learner(problem, config, self.policy, self.source, self.generator)
        self.optimizer = self.learner.optimizer
        self.validation_every = config.validation.every
        self.learns_with = config.algorithm
        self.counters = Counters()
        torch.manual_seed(config.seed)
        self.best = copied(self.policy.acting_state())

    @override
    def iterate(self) -> tuple[int, dict[str, Tensor]]:
        return self.learner.iterate(self.progress)

    def judge(self) -> dict[str, float]:
        """The policy's gap on the validation instances; the best policy is kept."""
        gap = self.validation.gap(self.policy)
        if gap < self.counters.best_gap:
            self.counters.best_gap, self.counters.best_iteration = gap, self.counters.iteration
            self.best = copied(self.policy.acting_state())
        return {"validation_gap": gap}

    @override
    def line(self, row: Mapping[str, float]) -> str:
        best = f"best {100 * self.counters.best_gap:.2f} % from {self.validation.reference}"
        return f"{row['steps']:,.0f} steps  {row['steps_per_second']:,.0f}/s  return {row['return']:.3f}  {best}"

    @override
    def plot(self) -> None:
        rows = MetricsFile(self.directory / "metrics.csv").rows()
        plot_curve(rows, self.validation.reference, self.directory / "curve.png")

    @override
    def config_text(self) -> str:
        return to_json(self.problem.name, self.config)

    @override
    def memory(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors = {**with_prefix("best", self.best), **with_prefix("learner", self.learner.state())}
        return tensors, {"source": self.source.state_dict()}

    @override
    def recall(self, tensors: Mapping[str, Tensor], info: Mapping[str, Any]) -> None:
        self.source.load_state_dict(info["source"])
        self.learner.load_state(without_prefix("learner", tensors))
        self.best = without_prefix("best", tensors)

    def result(self) -> tuple[Mapping[str, Tensor], dict[str, Any]]:
        """The policy of the best validation so far."""
        gap = self.counters.best_gap if math.isfinite(self.counters.best_gap) else None
        return self.best, {"iteration": self.counters.best_iteration, "validation_gap": gap}

    def agent(self) -> Agent:
        """The policy of the best validation so far."""
        policy = make_policy(self.config, next(self.policy.parameters()).device)
        policy.load_state_dict(self.best)
        return Agent(self.problem, self.config, policy)


def train(
    problem: str | Problem, config: TrainConfig, directory: Path | str, console: Console | None = None
) -> Trainer:
    """Train a policy in a new run directory; `Trainer.agent()` of the result is what it learned.

    Ctrl-C and SIGTERM stop it where `resume` can go on, and raise `Interrupted`.

    Raises ConfigError where the directory exists already or the settings make no run; then nothing is written.
    """
    trainer = new_run(problem, config, directory)
    trainer.begin(console)
    return trainer


def new_run(problem: str | Problem, config: TrainConfig, directory: Path | str) -> Trainer:
    """A run that has not begun, and has written nothing yet. Raises as `train` does."""
    problem = resolve(problem)
    return Trainer(problem, with_an_end(config.completed(problem)), new_directory(directory))


def resume(
    directory: Path | str,
    *,
    seconds: float | None = None,
    steps: int | None = None,
    threads: int | None = None,
    device: Device | None = None,
    console: Console | None = None,
) -> Trainer:
    """Go on with a run where it stopped; `seconds` or `steps` in all give it a new end.

    Raises ConfigError or CheckpointError, naming the file, where the directory holds no run that can go on.
    """
    directory = Path(directory)
    problem, config = read_config(directory)
    config = with_another_end(config, seconds, steps)
    config = replace(config, threads=threads or config.threads, device=device or config.device)
    trainer = Trainer(problem, config, directory)
    trainer.go_on(console)
    return trainer
