"""Runs that are killed at every file operation, and resumed: the same bits as never killed, and no file left over.

    python benchmarks/fuzz/kills.py [--only ppo imitation flow] [--updates 2]

A process trains and is killed (SIGKILL) at its n-th file operation, for n = 1, 2, … until it ends; a write is torn in
half. Another one resumes, or begins where nothing was begun, and a third process meanwhile is refused.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from graphwright.core.files import is_left_over, write_atomically
from graphwright.training.checkpoint import load_checkpoint
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.directory import RUN_FILES, locked
from graphwright.training.evaluators import GapEvaluator
from graphwright.training.games.evaluator import GameEvaluator
from graphwright.training.gflownet.evaluator import DistributionEvaluator
from graphwright.training.logging import MetricsFile
from graphwright.training.train import resume, train

QUIET = Console(quiet=True)
SMALL = {"encoder": {"width": 4, "depth": 1}, "threads": 1, "checkpoint_seconds": 0.0}
PLAYED = {"sizes": (5,)}
RUNS: dict[str, tuple[str, str, int, dict[str, Any]]] = {
    "ppo": ("vertex-cover", "ppo", 8, {"collection": PLAYED | {"num_envs": 4, "num_steps": 2}}),
    "imitation": ("independent-set", "imitation", 1, {"collection": PLAYED | {"num_instances": 2, "num_samples": 1}}),
    "replay": ("max-cut", "dqn", 8, {"collection": PLAYED | {"num_envs": 4, "num_steps": 2, "warm_up": 8}}),
    "self-play": ("tic-tac-toe", "ppo", 8, {"collection": {"num_envs": 4, "num_steps": 2}}),
    "flow": ("hyper-grid", "tb", 16, {"validation": {"objects": 4, "max_states": 1}}),
}
"""Name → the problem, the algorithm, about how many steps an update takes, and what makes it small."""


def config_of(name: str, updates: int) -> tuple[str, TrainConfig]:
    """A run of about so many updates."""
    problem, algorithm, steps, options = RUNS[name]
    if name == "self-play":
        options = options | {"validation": {"games": 2}}
    elif algorithm != "tb":
        options = options | {"validation": {"sizes": (5,), "graphs": 1}}
    return problem, TrainConfig.for_problem(problem, algorithm, steps=steps * (updates - 1) + 1, **SMALL, **options)


def kill_everywhere(name: str, updates: int, folder: Path, stride: int = 1) -> int:
    """How often a run was killed, at every `stride`-th of its file operations.

    Raises AssertionError where one of the kills costs more than time.
    """
    problem, config = config_of(name, updates)
    for evaluator in (GapEvaluator, DistributionEvaluator, GameEvaluator):  # drawing takes longer than all the rest
        evaluator.plot = lambda self, rows, path: write_atomically(path, b"a curve")  # type: ignore[method-assign]
    train(problem, config, folder / "whole", QUIET)  # in this process: what is imported and compiled, all others have
    expected = remembered(folder / "whole")
    for kills in count():
        number = 1 + kills * stride
        directory = folder / str(number)
        if in_process(lambda at=number, to=directory: _train_until(at, problem, config, to)) == 0:
            break
        begin = (directory / "config.json").exists()
        again = resume_run if begin else lambda to: train(problem, config, to, QUIET)
        assert in_process(lambda to=directory, go_on=again: go_on(to)) == 0, f"{name}: kill {number} cannot go on"
        for left in (left for left in directory.iterdir() if is_left_over(left, RUN_FILES)):
            raise AssertionError(f"{name}: kill {number} leaves {left.name}")
        unknown = {path.name for path in directory.iterdir() if "tfevents" not in path.name} - set(RUN_FILES)
        assert not unknown, f"{name}: kill {number} leaves {unknown}"
        assert remembered(directory) == expected, f"{name}: kill {number} changes what is learned"
    return kills


def resume_run(directory: Path) -> None:
    """Go on, and see that nobody else can meanwhile."""
    resume(directory, console=QUIET)
    with locked(directory):
        refused = ""
        try:
            resume(directory, console=QUIET)
        except ConfigError as error:
            refused = str(error)
    if "another process" not in refused:
        raise AssertionError("two processes train one run")


def remembered(directory: Path) -> Any:
    """All that a run leaves which does not depend on the clock."""
    files = {}
    for name in ("policy.safetensors", "trainer.safetensors"):
        tensors, info = load_checkpoint(directory / name)
        info.get("counters", {}).pop("seconds", None)
        files[name] = (info, {key: (str(tensor.dtype), tensor.tolist()) for key, tensor in tensors.items()})
    clock = ("seconds", "steps_per_second")
    rows = [{key: repr(value) for key, value in row.items() if key not in clock} for row in _rows(directory)]
    return files, rows


def _rows(directory: Path) -> list[dict[str, float]]:
    return MetricsFile(directory / "metrics.csv").rows()


def in_process(work: Callable[[], Any]) -> int:
    """Do `work` in a forked process: its exit code, negative where a signal ended it."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        work()
        code = 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    os._exit(code)


class Killer:
    """Kills this process at its n-th file operation in `directory`."""

    def __init__(self, at: int, directory: Path) -> None:
        self.left = at
        self.directory = str(directory)

    def counts(self) -> bool:
        """Whether this operation is the last."""
        self.left -= 1
        return self.left == 0

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """What Python says before it opens, renames, removes or makes something."""
        if event not in ("open", "os.rename", "os.remove", "os.mkdir") or not str(arguments[0]).startswith(
            self.directory
        ):
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            return
        if self.counts():
            os.kill(os.getpid(), signal.SIGKILL)

    def open(self, file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        """`io.open`, of files whose writes may be torn."""
        opened = _OPEN(file, mode, *arguments, **options)
        if not set(mode) & set("wxa") or not str(file).startswith(self.directory):
            return opened
        write = opened.write

        def torn(data: Any) -> Any:
            if self.counts():
                write(data[: len(data) // 2])
                opened.flush()
                os.kill(os.getpid(), signal.SIGKILL)
            return write(data)

        return _Torn(opened, torn)


class _Torn:
    """A file with another `write`."""

    def __init__(self, file: Any, write: Callable[[Any], Any]) -> None:
        self.file = file
        self.write = write

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __enter__(self) -> _Torn:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


_OPEN = io.open


def _train_until(at: int, problem: str, config: TrainConfig, directory: Path) -> None:
    killer = Killer(at, directory)
    sys.addaudithook(killer.audit)
    io.open = killer.open  # type: ignore[assignment]
    train(problem, config, directory, QUIET)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS))
    parser.add_argument("--updates", type=int, default=2)
    parser.add_argument("--stride", type=int, default=1, help="kill at every so-many-th file operation")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.only:
        begin = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            kills = kill_everywhere(name, options.updates, Path(folder), options.stride)
        print(
            f"{name}: {kills} kills, {kills} resumed to the same bits, {time.perf_counter() - begin:.0f} s", flush=True
        )


if __name__ == "__main__":
    main()
