"""Training runs of an experiment, several side by side, each kept so that nothing is trained twice."""

from __future__ import annotations

import multiprocessing
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from itertools import starmap
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import Progress

from graphwright.core.doing import now
from graphwright.core.files import write_atomically
from graphwright.envs.registry import find_problem
from graphwright.training.agent import CONFIG_FILE, Agent, load
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.config_json import parse_json, to_json
from graphwright.training.train import new_run

Result = TypeVar("Result")
_SECONDS_FILE = "cpu-seconds.txt"


@dataclass(frozen=True)
class Job:
    """One training run. label: what is compared. untrained: parts of the policy that stay as they begin."""

    label: str
    problem: str
    config: TrainConfig
    untrained: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trained:
    """What came of a job: the agent, the CPU seconds that its training took, and the directory of the run."""

    job: Job
    agent: Agent
    seconds: float
    directory: Path


def train_all(jobs: Sequence[Job], directory: Path, workers: int, console: Console) -> list[Trained]:
    """Train every job in a directory of its own, `workers` at a time with one thread each.

    A job that was finished before, with the same settings, is not trained again. Raises ConfigError where a directory
    holds a run of other settings.
    """
    jobs = [replace(job, config=replace(job.config, threads=1, device="cpu")) for job in jobs]
    places = [directory / f"{job.label}-{job.config.seed}".replace(" ", "-") for job in jobs]
    missing = [(job, place) for job, place in zip(jobs, places, strict=True) if not _is_done(job, place)]
    with Progress(console=console, refresh_per_second=2) as progress:
        task = progress.add_task("training", total=len(jobs), completed=len(jobs) - len(missing))
        for done in side_by_side(_train, missing, workers):
            progress.update(task, advance=1, description=done)
    return [
        Trained(job, load(place, "cpu", trust=True), float((place / _SECONDS_FILE).read_text()), place)
        for job, place in zip(jobs, places, strict=True)
    ]


def side_by_side(work: Callable[..., Result], arguments: Sequence[tuple[Any, ...]], workers: int) -> Iterator[Result]:
    """The results of `work` for each tuple of arguments as they come, from so many processes; from this one, if 1."""
    for over, result in enumerate(_in_processes(work, arguments, workers)):
        now(f"training: {over + 1} of {len(arguments)} runs are over")
        yield result
    now("evaluating what was trained")


def _in_processes(work: Callable[..., Result], arguments: Sequence[tuple[Any, ...]], workers: int) -> Iterator[Result]:
    now(f"training: {len(arguments)} runs, {min(workers, len(arguments))} at a time")
    if workers == 1:
        yield from starmap(work, arguments)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for future in as_completed([pool.submit(work, *some) for some in arguments]):
            yield future.result()


def _is_done(job: Job, place: Path) -> bool:
    if not (place / _SECONDS_FILE).exists():
        return False
    wanted = to_json(job.problem, job.config.completed(find_problem(job.problem)))
    if parse_json((place / CONFIG_FILE).read_text(encoding="utf-8")) != parse_json(wanted):  # so it may be trusted
        raise ConfigError(f"{place / CONFIG_FILE}: was trained with other settings; remove it, or name another --out")
    return True


def _train(job: Job, place: Path) -> str:
    """In a process of its own: train, note the time, and say what was done."""
    start = time.process_time()
    shutil.rmtree(place, ignore_errors=True)  # a run that was interrupted
    run = new_run(find_problem(job.problem), job.config, place)
    for part in job.untrained:
        run.policy.get_submodule(part).requires_grad_(False)
    run.begin(Console(quiet=True))
    write_atomically(place / _SECONDS_FILE, f"{time.process_time() - start:.1f}\n".encode())
    return f"{job.label}, seed {job.config.seed}"
