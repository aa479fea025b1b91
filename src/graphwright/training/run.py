"""Runs: iterations from the first to the last, and on again after an interruption, whatever is learned."""

from __future__ import annotations

import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from rich.console import Console
from torch import Tensor, nn

from graphwright.core.files import write_atomically
from graphwright.training.checkpoint import (
    CONFIG_FILE,
    POLICY_FILE,
    TRAINER_FILE,
    CheckpointError,
    load_checkpoint,
    load_module,
    save_checkpoint,
    with_prefix,
    without_prefix,
)
from graphwright.training.config import ConfigError
from graphwright.training.interrupt import Interrupted, Interruption, interruptible
from graphwright.training.logging import RunLog


class DivergenceError(ValueError):
    """A loss or a gradient is no longer finite. The last checkpoint is as it was."""

    def __init__(self, algorithm: str, iteration: int) -> None:
        super().__init__(f"training diverged at update {iteration}; lower --{algorithm}.learning-rate")


def has_diverged(metrics: Mapping[str, float]) -> bool:
    """Whether a loss or the norm of a gradient among `metrics` is not finite."""
    return any(
        not math.isfinite(value)
        for name, value in metrics.items()
        if name == "loss" or name.endswith(("_loss", "grad_norm"))
    )


@dataclass
class Counters:
    """How far a run has come."""

    iteration: int = 0
    steps: int = 0
    seconds: float = 0.0
    best_gap: float = math.inf
    best_iteration: int = 0


class Settings(Protocol):
    """What the settings of every run have."""

    @property
    def seconds(self) -> float | None:
        """Its end in time."""

    @property
    def steps(self) -> int | None:
        """Its end in environment steps."""


class Optimizer(Protocol):
    """An optimizer whose memory is that of `torch.optim.Adam`."""

    def state_dict(self) -> dict[str, Any]:
        """Moments and counters."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from saved moments and counters."""


class Run(ABC):
    """One run in one directory, with all that it remembers, so that it can go on after an interruption.

    A kind of run sets these, and says how to iterate and how to judge.

    validation_every: iterations between judgements, each of which also writes a checkpoint. judgement: the names of the
    numbers that a judgement gives. learns_with: the options that hold the learning rate. may_change: the settings that
    may change in the middle of a run, which are its end and the machine.
    """

    directory: Path
    config: Settings
    policy: nn.Module
    optimizer: Optimizer
    generator: torch.Generator
    counters: Counters
    validation_every: int
    judgement: tuple[str, ...]
    learns_with: str
    may_change: tuple[str, ...] = ("seconds", "steps", "threads", "device")

    # ---- what a kind of run says -----------------------------------------------------------------------------------

    @abstractmethod
    def iterate(self) -> tuple[int, dict[str, Tensor]]:
        """Collect and learn once: environment steps taken, and scalars to log."""

    @abstractmethod
    def judge(self) -> dict[str, float]:
        """The numbers that `judgement` names."""

    @abstractmethod
    def line(self, row: Mapping[str, float]) -> str:
        """What the terminal shows of the latest numbers."""

    @abstractmethod
    def plot(self) -> None:
        """Draw the learning curve."""

    @abstractmethod
    def config_text(self) -> str:
        """What `config.json` holds."""

    @abstractmethod
    def memory(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """What only this kind of run remembers: tensors, and values for JSON."""

    @abstractmethod
    def recall(self, tensors: Mapping[str, Tensor], info: Mapping[str, Any]) -> None:
        """Go on from what `memory` returned; raises KeyError, TypeError, ValueError or RuntimeError."""

    @abstractmethod
    def result(self) -> tuple[Mapping[str, Tensor], dict[str, Any]]:
        """The weights to use, and what is to be known of them."""

    # ---- what all runs do ------------------------------------------------------------------------------------------

    def train(self, interruption: Interruption, console: Console) -> None:
        """Iterate until the run's time or steps are over or it is interrupted."""
        if self.counters.iteration == 0:
            self.judge()
            self.save()
        with RunLog(self.directory, self.counters.iteration, console) as log:
            while self.progress < 1 and interruption.signal is None:
                start = time.perf_counter()
                steps, metrics = self.iterate()
                self.counters.iteration += 1
                self.counters.steps += steps
                row = {name: float(value) for name, value in metrics.items()}
                if has_diverged(row):
                    raise DivergenceError(self.learns_with, self.counters.iteration)
                learned = time.perf_counter()
                row["steps_per_second"] = steps / (learned - start)
                self.counters.seconds += learned - start
                due = self.counters.iteration % self.validation_every == 0 or self.progress >= 1
                row |= self.judge() if due else dict.fromkeys(self.judgement, math.nan)
                self.counters.seconds += time.perf_counter() - learned
                row = self._position() | row
                log.write(row, self.progress, self.line(row))
                if due and self.progress < 1:
                    self.save()
        self.save()
        self.plot()

    def run(self, console: Console | None = None) -> None:
        """`train`, and stop at Ctrl-C and SIGTERM where `resume` can go on; then raise `Interrupted`."""
        with interruptible() as interruption:
            self.train(interruption, console or Console(stderr=True))
        if interruption.signal is not None:
            raise Interrupted(self.directory, interruption.signal)

    def begin(self, console: Console | None = None) -> None:
        """`run` in a directory that is made for it, with its settings."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.write_config()
        self.run(console)

    def go_on(self, console: Console | None = None) -> None:
        """`run` from where the directory's checkpoint is, with these settings from now on. Raises as `restore` does."""
        self.restore()
        self.write_config()
        self.run(console)

    def write_config(self) -> None:
        """Write `config.json`."""
        write_atomically(self.directory / CONFIG_FILE, self.config_text().encode())

    def settings(self) -> dict[str, Any]:
        """What must not change in the middle of a run."""
        settings = json.loads(self.config_text())
        return {name: value for name, value in settings.items() if name not in self.may_change}

    @property
    def progress(self) -> float:
        """How much of the run is over, 0 to 1."""
        parts = [0.0]
        if self.config.steps is not None:
            parts.append(self.counters.steps / self.config.steps)
        if self.config.seconds is not None:
            parts.append(self.counters.seconds / self.config.seconds)
        return min(max(parts), 1.0)

    def save(self) -> None:
        """Write a checkpoint: all of the run's memory, then the policy to use, which is a part of it."""
        own, own_info = self.memory()
        tensors = {
            **with_prefix("policy", self.policy.state_dict()),
            **with_prefix("optimizer", _flatten_adam(self.optimizer.state_dict())),
            **own,
            "generator": self.generator.get_state(),
            "global_generator": torch.get_rng_state(),  # which only layers with dropout use
        }
        info = {"counters": asdict(self.counters), "settings": self.settings(), **own_info}
        save_checkpoint(self.directory / TRAINER_FILE, tensors, info)
        save_checkpoint(self.directory / POLICY_FILE, *self.result())

    def restore(self) -> None:
        """Go on from the directory's checkpoint. Raises CheckpointError where it is missing or damaged."""
        path = self.directory / TRAINER_FILE
        tensors, info = load_checkpoint(path)
        if info.get("settings") != self.settings():
            raise CheckpointError(f"{path}: was written with other settings than {CONFIG_FILE} holds; put those back")
        load_module(self.policy, without_prefix("policy", tensors), path)
        try:
            self.counters = Counters(**info["counters"])
            self.optimizer.load_state_dict(
                _unflatten_adam(without_prefix("optimizer", tensors), self.optimizer.state_dict())
            )
            self.recall(tensors, info)
            self.generator.set_state(tensors["generator"])
            torch.set_rng_state(tensors["global_generator"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"{path}: does not fit {CONFIG_FILE} ({error})") from None

    def _position(self) -> dict[str, float]:
        return {name: getattr(self.counters, name) for name in ("iteration", "steps", "seconds")}


Config = TypeVar("Config", bound=Settings)


def new_directory(directory: Path | str) -> Path:
    """Where a run may begin. Raises ConfigError where something is there already."""
    directory = Path(directory)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ConfigError(
            f"--run {directory}: exists already; name a new directory, or `graphwright resume {directory}`"
        )
    return directory


def with_an_end(config: Config) -> Config:
    """`config`, for 60 seconds where it says no end."""
    return config if (config.seconds, config.steps) != (None, None) else _replaced(config, seconds=60.0)


def with_another_end(config: Config, seconds: float | None, steps: int | None) -> Config:
    """`config` with a new end, if one is given."""
    return config if (seconds, steps) == (None, None) else _replaced(config, seconds=seconds, steps=steps)


def _replaced(config: Any, **changes: Any) -> Any:
    return replace(config, **changes)


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A copy of each."""
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def _flatten_adam(state: Mapping[str, Any]) -> dict[str, Tensor]:
    return {f"{row}.{name}": tensor for row, moments in state["state"].items() for name, tensor in moments.items()}


def _unflatten_adam(tensors: Mapping[str, Tensor], like: Mapping[str, Any]) -> dict[str, Any]:
    moments: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        row, _, name = key.partition(".")
        moments.setdefault(int(row), {})[name] = tensor
    return {"state": moments, "param_groups": like["param_groups"]}
