"""The one loop: whatever is learned, and wherever from, a run collects, learns, evaluates, logs and saves like this."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor, nn

from graphwright.algorithms.algorithm import Algorithm
from graphwright.core.doing import say
from graphwright.core.files import sweep, write_atomically
from graphwright.core.heap import keeping_freed_memory
from graphwright.core.numbers import require_numbers
from graphwright.training.callbacks import Callback
from graphwright.training.checkpoint import (
    CONFIG_FILE,
    POLICY_FILE,
    TRAINER_FILE,
    CheckpointError,
    fingerprint,
    load_checkpoint,
    save_checkpoint,
    with_prefix,
    without_prefix,
)
from graphwright.training.collectors.collector import Collector
from graphwright.training.config_json import build
from graphwright.training.counters import Counters
from graphwright.training.directory import CURVE_FILE, METRICS_FILE, RUN_FILES, has_checkpoint, locked, new_directory
from graphwright.training.divergence import DivergenceError, has_diverged
from graphwright.training.evaluator import Evaluator
from graphwright.training.interrupt import Interrupted, Interruption, interruptible
from graphwright.training.logging import MetricsFile, RunLog
from graphwright.training.run_settings import RunSettings, RunText, require_same_settings


class Runner:
    """One run in one directory: a collector feeds an algorithm, and an evaluator watches its policy.

    generator: of all random draws. policy: the weights to use: those that were best by the evaluator's metric, or where
    it has none, the last. was_finished: whether there was nothing left to do when it was resumed. resume_by: what goes
    on with a run in the directory {}.
    """

    resume_by = "`graphwright resume {}`"

    def __init__(
        self,
        directory: Path,
        settings: RunSettings,
        describe: Callable[[], RunText],
        collector: Collector,
        algorithm: Algorithm,
        evaluator: Evaluator,
        generator: torch.Generator,
    ) -> None:
        self.directory = directory
        self.settings = settings
        self._describe = describe
        self.collector = collector
        self.algorithm = algorithm
        self.evaluator = evaluator
        self.generator = generator
        self.counters = Counters()
        self.latest: dict[str, float] = {}
        self.has_begun = self.was_finished = False
        self.callbacks: tuple[Callback, ...] = ()
        self.best = copied(self.algorithm.acting_state())

    @cached_property
    def text(self) -> RunText:
        """What is written of the settings, once that is asked for."""
        return self._describe()

    @property
    def policy(self) -> nn.Module:
        """The policy as it is."""
        return self.algorithm.policy

    def learn(self, interruption: Interruption, console: Console) -> None:
        """Iterate until the run's time or steps are over or it is interrupted."""
        if not self.has_begun:
            wait, end = self.collector.steps_before_learning, self.settings.steps
            if end is not None and wait > end:
                say(f"--steps {end}: --warm-up plays {wait} before the first update, so that the run is as long")
            self.algorithm.begin(lambda: self.collector.collect(self.policy).batch)
            self.has_begun = True
            self.evaluate()
            self.save()
        for callback in self.callbacks:
            callback.on_begin(self)
        saved = time.perf_counter()
        with RunLog(self.directory, self.counters.iteration, console) as log:
            while self.progress < 1 and interruption.signal is None:
                start = time.perf_counter()
                row = self.iterate()
                if has_diverged(row):
                    raise DivergenceError(self.directory, self.text.options, self.counters.iteration)
                learned = time.perf_counter()
                row["steps_per_second"] = row.pop("new_steps") / (learned - start)
                self.counters.seconds += learned - start
                if self.counters.iteration % self.evaluator.every == 0 or self.progress >= 1:
                    row |= self.evaluate()
                    self.counters.seconds += time.perf_counter() - learned
                self.latest = self._position() | row
                log.write(self.latest, self.progress, self._line())
                for callback in self.callbacks:
                    callback.on_iteration(self, self.latest)
                if time.perf_counter() - saved >= self.settings.checkpoint_seconds:
                    self.save()
                    saved = time.perf_counter()
        self.save()

    def iterate(self) -> dict[str, float]:
        """Collect and learn once: scalars to log, and how many steps were taken as `new_steps`."""
        self.collector.progress = self.progress
        collected = self.collector.collect(self.policy)
        metrics = self.algorithm.learn(collected.batch, self.progress)
        self.collector.after(metrics)
        self.counters.iteration += 1
        self.counters.steps += collected.num_steps
        scalars = {name: float(value) for name, value in (collected.metrics | metrics).items()}
        return {"new_steps": collected.num_steps, **scalars}

    def evaluate(self) -> dict[str, float]:
        """What the evaluator says of the policy, which is kept where it is the best so far."""
        found = self.evaluator.evaluate(self.policy)
        if self.evaluator.metric is not None and self.evaluator.improves(found, self.counters.best):
            self.counters.best = found[self.evaluator.metric]
            self.counters.best_iteration = self.counters.iteration
            self.best = copied(self.algorithm.acting_state())
        for callback in self.callbacks:
            callback.on_evaluation(self, self._position() | found)
        return found

    @property
    def progress(self) -> float:
        """How much of the run is over, 0 to 1."""
        return self.counters.progress(self.settings)

    def begin(self, console: Console | None = None) -> None:
        """The whole run, in a directory that is made for it. Raises as `new_directory`, `locked` and `run` do."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with locked(self.directory):
            new_directory(self.directory)  # another process may have been faster
            self._write_and_run(console)

    def resume(self, console: Console | None = None, before: RunSettings | None = None) -> None:
        """The rest of the run, with these settings from now on; all of it, if it had not come to a checkpoint.

        before: the settings so far, if others. Where nothing is left to do, what the run says of itself stays. Raises
        as `locked`, `restore` and `run` do, and ConfigError where the new end lies behind and the old one does not.
        """
        with locked(self.directory):
            if has_checkpoint(self.directory):
                self.restore()
                if before is not None and self.counters.progress(before) < 1:
                    self.counters.require_ahead(self.settings)
                self.was_finished = self.progress >= 1
            self._write_and_run(console)

    def _write_and_run(self, console: Console | None) -> None:
        sweep(self.directory, RUN_FILES)
        if not self.was_finished:
            write_atomically(self.directory / CONFIG_FILE, self.text.config.encode())
        self.run(console)

    def run(self, console: Console | None = None) -> None:
        """`learn`; stop at Ctrl-C and SIGTERM where `resume` can go on, and raise `Interrupted`."""
        with self.collector, keeping_freed_memory(above_large=False), interruptible() as interruption:
            self.learn(interruption, console or Console(stderr=True))
        if rows := MetricsFile(self.directory / METRICS_FILE).rows():
            self.evaluator.plot(rows, self.directory / CURVE_FILE)
        for callback in self.callbacks:
            callback.on_end(self)
        if interruption.signal is not None:
            raise Interrupted(self.resume_by.format(self.directory), interruption.signal)

    def save(self) -> None:
        """Write a checkpoint: all that the run remembers, then the policy to use, which is a part of it."""
        tensors = {
            **with_prefix("algorithm", self.algorithm.state_dict()),
            **with_prefix("collector", self.collector.state_dict()),
            **with_prefix("evaluator", self.evaluator.state_dict()),
            **(with_prefix("best", self.best) if self.evaluator.metric is not None else {}),
            "generator": self.generator.get_state(),
            "global_generator": torch.get_rng_state(),  # which only layers with dropout use
        }
        save_checkpoint(
            self.directory / TRAINER_FILE,
            tensors,
            {"counters": asdict(self.counters), "settings": dict(self.text.fixed)},
        )
        weights, known = self.result()
        save_checkpoint(self.directory / POLICY_FILE, weights, {**known, "run": fingerprint(self.text.fixed)})
        self.evaluator.write(self.directory)

    def restore(self) -> None:
        """Go on from the directory's checkpoint. Raises CheckpointError where it is missing or damaged."""
        path = self.directory / TRAINER_FILE
        require_same_settings(self.directory, self.text)
        tensors, info = load_checkpoint(path)
        try:
            self.counters = build(Counters(), info["counters"])
            require_numbers(self.counters, {})
            self.has_begun = True
            self.algorithm.load_state_dict(without_prefix("algorithm", tensors))
            self.evaluator.load_state_dict(without_prefix("evaluator", tensors))
            self.collector.load_state_dict(without_prefix("collector", tensors))
            self.best = without_prefix("best", tensors)
            self.generator.set_state(tensors["generator"])
            torch.set_rng_state(tensors["global_generator"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"{path}: does not fit {CONFIG_FILE} ({error})") from None

    def result(self) -> tuple[Mapping[str, Tensor], dict[str, Any]]:
        """The weights to use, and what is known of them."""
        if self.evaluator.metric is None:
            return self.algorithm.acting_state(), {"iteration": self.counters.iteration}
        best = self.counters.best
        known = best if best is not None and math.isfinite(best) else None
        return self.best, {"iteration": self.counters.best_iteration, self.evaluator.metric: known}

    def _line(self) -> str:
        """What the terminal shows of the latest numbers."""
        row, shown = self.latest, self.evaluator.line(self.latest, self.counters.best)
        return f"{row['steps']:,.0f} steps  {row['steps_per_second']:,.0f}/s  {shown}"

    def _position(self) -> dict[str, float]:
        return {name: getattr(self.counters, name) for name in ("iteration", "steps", "seconds")}


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A copy of each."""
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}
