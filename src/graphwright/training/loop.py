"""A training run from its first iteration to its last, and on again after an interruption."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor

from graphwright.data.sources import GeneratedInstances
from graphwright.envs.problem import Problem
from graphwright.envs.problems import find_problem
from graphwright.training.agent import CONFIG_FILE, POLICY_FILE, Agent, find_device, make_policy, read_config
from graphwright.training.checkpoint import (
    CheckpointError,
    load_checkpoint,
    load_module,
    save_checkpoint,
    with_prefix,
    without_prefix,
    write_atomically,
)
from graphwright.training.config import ConfigError, Device, TrainConfig, to_json, use_threads
from graphwright.training.interrupt import Interrupted, Interruption, interruptible
from graphwright.training.learner import make_learner
from graphwright.training.logging import MetricsFile, RunLog
from graphwright.training.plots import plot_curve
from graphwright.training.validation import make_validation

TRAINER_FILE = "trainer.safetensors"


class DivergenceError(ValueError):
    """A gradient is no longer finite. The last checkpoint is as it was."""

    def __init__(self, algorithm: str, iteration: int) -> None:
        super().__init__(f"training diverged at update {iteration}; lower --{algorithm}.learning-rate")


@dataclass
class Counters:
    """How far a run has come."""

    iteration: int = 0
    steps: int = 0
    seconds: float = 0.0
    best_gap: float = math.inf
    best_iteration: int = 0


class Trainer:
    """One run in one directory. Its whole memory is in `state`, so that it can go on after an interruption."""

    def __init__(self, problem: Problem, config: TrainConfig, directory: Path) -> None:
        use_threads(config.threads)
        device = find_device(config.device)
        self.problem = problem
        self.config = config
        self.directory = directory
        instances = config.instance_generator(problem)
        self.validation = make_validation(problem, config, device)
        self.policy = make_policy(config, device)
        self.generator = torch.Generator(device).manual_seed(config.seed)
        self.source = GeneratedInstances(instances, config.seed, device)
        self.learner = make_learner(problem, config, self.policy, self.source, self.generator)
        self.counters = Counters()
        torch.manual_seed(config.seed)
        self.best = _copy(self.policy.state_dict())

    def train(self, interruption: Interruption, console: Console) -> None:
        """Iterate until the run's time or steps are over or it is interrupted."""
        if self.counters.iteration == 0:
            self._validate()
            self.save()
        with RunLog(self.directory, self.counters.iteration, console) as log:
            while self.progress < 1 and interruption.signal is None:
                start = time.perf_counter()
                steps, metrics = self.learner.iterate(self.progress)
                self.counters.iteration += 1
                self.counters.steps += steps
                row = {name: float(value) for name, value in metrics.items()}
                if not math.isfinite(row["grad_norm"]):
                    raise DivergenceError(self.config.algorithm, self.counters.iteration)
                row["steps_per_second"] = steps / (time.perf_counter() - start)
                due = self.counters.iteration % self.config.validation.every == 0
                row["validation_gap"] = self._validate() if due else math.nan
                self.counters.seconds += time.perf_counter() - start
                log.write(self._position() | row, self.progress, self.counters.best_gap, self.validation.reference)
                if due:
                    self.save()
        if self.progress >= 1 and self.counters.iteration % self.config.validation.every:
            self._validate()
        self.save()
        plot_curve(
            MetricsFile(self.directory / "metrics.csv").rows(), self.validation.reference, self.directory / "curve.png"
        )

    def run(self, console: Console | None = None) -> None:
        """`train`, and stop at Ctrl-C and SIGTERM where `resume` can go on; then raise `Interrupted`."""
        with interruptible() as interruption:
            self.train(interruption, console or Console(stderr=True))
        if interruption.signal is not None:
            raise Interrupted(self.directory, interruption.signal)

    @property
    def progress(self) -> float:
        """How much of the run is over, 0 to 1."""
        parts = [0.0]
        if self.config.steps is not None:
            parts.append(self.counters.steps / self.config.steps)
        if self.config.seconds is not None:
            parts.append(self.counters.seconds / self.config.seconds)
        return min(max(parts), 1.0)

    def agent(self) -> Agent:
        """The policy of the best validation so far."""
        policy = make_policy(self.config, next(self.policy.parameters()).device)
        policy.load_state_dict(self.best)
        return Agent(self.problem, self.config, policy)

    def save(self) -> None:
        """Write a checkpoint: all of the run's memory, then the policy to use, which is a part of it."""
        tensors = {
            **with_prefix("policy", self.policy.state_dict()),
            **with_prefix("best", self.best),
            **with_prefix("optimizer", _flatten_adam(self.learner.optimizer.state_dict())),
            **with_prefix("learner", self.learner.state()),
            "generator": self.generator.get_state(),
            "global_generator": torch.get_rng_state(),  # which only layers with dropout use
        }
        info = {
            "counters": asdict(self.counters),
            "source": self.source.state_dict(),
            "settings": _settings(self.problem, self.config),
        }
        save_checkpoint(self.directory / TRAINER_FILE, tensors, info)
        chosen = {"iteration": self.counters.best_iteration, "validation_gap": _finite(self.counters.best_gap)}
        save_checkpoint(self.directory / POLICY_FILE, self.best, chosen)

    def restore(self) -> None:
        """Go on from the directory's checkpoint. Raises CheckpointError where it is missing or damaged."""
        path = self.directory / TRAINER_FILE
        tensors, info = load_checkpoint(path)
        if info.get("settings") != _settings(self.problem, self.config):
            raise CheckpointError(f"{path}: was written with other settings than {CONFIG_FILE} holds; put those back")
        load_module(self.policy, without_prefix("policy", tensors), path)
        try:
            self.counters = Counters(**info["counters"])
            self.source.load_state_dict(info["source"])
            self.learner.optimizer.load_state_dict(
                _unflatten_adam(without_prefix("optimizer", tensors), self.learner.optimizer.state_dict())
            )
            self.learner.load_state(without_prefix("learner", tensors))
            self.generator.set_state(tensors["generator"])
            torch.set_rng_state(tensors["global_generator"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"{path}: does not fit {CONFIG_FILE} ({error})") from None
        self.best = without_prefix("best", tensors)

    def _validate(self) -> float:
        """The policy's gap on the validation instances; the best policy is kept."""
        gap = self.validation.gap(self.policy)
        if gap < self.counters.best_gap:
            self.counters.best_gap, self.counters.best_iteration = gap, self.counters.iteration
            self.best = _copy(self.policy.state_dict())
        return gap

    def _position(self) -> dict[str, float]:
        return {name: getattr(self.counters, name) for name in ("iteration", "steps", "seconds")}


def train(
    problem: str | Problem, config: TrainConfig, directory: Path | str, console: Console | None = None
) -> Trainer:
    """Train a policy in a new run directory; `Trainer.agent()` of the result is what it learned.

    Ctrl-C and SIGTERM stop it where `resume` can go on, and raise `Interrupted`.

    Raises ConfigError where the directory exists already or the settings make no run; then nothing is written.
    """
    trainer = new_run(problem, config, directory)
    trainer.run(console)
    return trainer


def new_run(problem: str | Problem, config: TrainConfig, directory: Path | str) -> Trainer:
    """A run that has not begun, in a new directory that holds its settings. Raises as `train` does."""
    problem = find_problem(problem) if isinstance(problem, str) else problem
    config = config.completed(problem)
    if config.seconds is None and config.steps is None:
        config = replace(config, seconds=60.0)
    directory = Path(directory)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ConfigError(
            f"--run {directory}: exists already; name a new directory, or `graphwright resume {directory}`"
        )
    trainer = Trainer(problem, config, directory)
    directory.mkdir(parents=True, exist_ok=True)
    write_atomically(directory / CONFIG_FILE, to_json(problem.name, config).encode())
    return trainer


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
    if seconds is not None or steps is not None:
        config = replace(config, seconds=seconds, steps=steps)
    config = replace(config, threads=threads or config.threads, device=device or config.device)
    trainer = Trainer(problem, config, directory)
    trainer.restore()
    write_atomically(directory / CONFIG_FILE, to_json(problem.name, config).encode())
    trainer.run(console)
    return trainer


def _settings(problem: Problem, config: TrainConfig) -> dict[str, Any]:
    """What must not change in the middle of a run: everything but its end and the machine."""
    settings = json.loads(to_json(problem.name, config))
    return {name: value for name, value in settings.items() if name not in ("seconds", "steps", "threads", "device")}


def _copy(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _flatten_adam(state: Mapping[str, Any]) -> dict[str, Tensor]:
    return {f"{row}.{name}": tensor for row, moments in state["state"].items() for name, tensor in moments.items()}


def _unflatten_adam(tensors: Mapping[str, Tensor], like: Mapping[str, Any]) -> dict[str, Any]:
    moments: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        row, _, name = key.partition(".")
        moments.setdefault(int(row), {})[name] = tensor
    return {"state": moments, "param_groups": like["param_groups"]}
