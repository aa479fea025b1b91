"""Fine-tuning: what another size or law of graphs gains, and what is forgotten, with each way not to forget.

    python benchmarks/learning/fine_tuning.py [--seconds 60] [--seeds 5] [--ways ppo] [--runs DIR] [--out DIR]

A policy is trained on graphs of 10 to 20 nodes by PPO; from it begin runs on larger graphs and on graphs of another
law, by PPO alone, with each trust region, and by AWAC. Each run, of one thread and the given time of the processor,
says how its policy does on the old and the new instances of validation before and after (`fine-tuning.json`). What
--runs holds already is not trained again: give each time its own folder.
"""

from __future__ import annotations

import json
import platform
import shutil
import statistics
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import tyro
from processor_time import ProcessorClock
from rich.console import Console

from graphwright.training.config import TrainConfig, changed
from graphwright.training.train import train

SMALL = (10, 12, 14, 16, 18, 20)
TARGETS: dict[str, tuple[str, dict[str, Any]]] = {
    "max-cut, 100 nodes": ("max-cut", {"sizes": (100,)}),
    "max-cut, trees of 50 nodes": ("max-cut", {"generator": "barabasi-albert:m=1", "sizes": (50,)}),
    "independent-set, half of all edges, 50 nodes": (
        "independent-set",
        {"generator": "erdos-renyi:p=0.5", "sizes": (50,)},
    ),
}
"""Row of the table → the problem, and the graphs on which a run goes on."""
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "ppo": ("ppo", {}),
    "ppo, penalty": ("ppo", {"trust_region": {"kind": "penalty"}}),
    "ppo, line search": ("ppo", {"trust_region": {"kind": "line-search"}}),
    "ppo, MMD": ("ppo", {"trust_region": {"kind": "mmd"}}),
    "awac": ("awac", {}),
}
"""Row of the table → the algorithm that goes on, and what differs from its defaults."""
WATCHED = 48
"""Instances of validation, of each size."""
MEASURES = tuple(product(("new", "old"), ("before", "after")))


@dataclass(frozen=True)
class Options:
    """What to train."""

    seconds: float = 60.0
    """Of the processor, of each run."""
    seeds: int = 5
    """Runs of each kind, with the seeds 0, 1, ..."""
    targets: tuple[str, ...] = tuple(TARGETS)
    """Graphs to go on with."""
    ways: tuple[str, ...] = tuple(WAYS)
    """Ways to go on."""
    options: str = "{}"
    """More settings of each run, as JSON."""
    workers: int = 2
    """Runs side by side."""
    runs: Path | None = None
    """Folder for the runs; by default they are not kept."""
    out: Path | None = None
    """Folder for the table, as fine-tuning.md."""


def start(options: Options, folder: Path, job: tuple[str, int]) -> None:
    """In a process of its own: the run on small graphs, if it is not there."""
    problem, seed = job
    collection, validation = {"sizes": SMALL}, {"sizes": (15, 20), "graphs": WATCHED}
    _run(options, problem, "ppo", seed, begun(folder, job), {"collection": collection, "validation": validation})


def go_on(options: Options, folder: Path, job: tuple[int, str, str]) -> dict[str, Any]:
    """In a process of its own: the run that begins with it. What was kept and what was gained."""
    seed, target, way = job
    (problem, graphs), (algorithm, settings) = TARGETS[target], WAYS[way]
    directory = folder / f"{target}-{way}-{seed}".replace(",", "").replace(" ", "-")
    validation = {"sizes": graphs["sizes"], "graphs": WATCHED}
    given = {"collection": graphs, "validation": validation, "start": str(begun(folder, (problem, seed)))}
    _run(options, problem, algorithm, seed, directory, given | settings)
    return dict(json.loads((directory / "fine-tuning.json").read_text()))


def begun(folder: Path, job: tuple[str, int]) -> Path:
    """Where the run on small graphs is."""
    return folder / f"{job[0]}-small-{job[1]}"


def _run(options: Options, problem: str, algorithm: str, seed: int, directory: Path, settings: dict[str, Any]) -> None:
    """Train, unless that was done to its end."""
    done = directory.with_suffix(".done")
    if done.exists():
        return
    shutil.rmtree(directory, ignore_errors=True)  # of a run that was broken off
    config = TrainConfig.for_problem(problem, algorithm, seconds=options.seconds, seed=seed, threads=1)
    config = changed(changed(config, settings), json.loads(options.options))
    train(problem, config, directory, Console(quiet=True), callbacks=(ProcessorClock(),))
    done.touch()


def table(options: Options, jobs: list[tuple[int, str, str]], reports: list[dict[str, Any]]) -> str:
    """As Markdown: means over seeds of the distances from the optimum, and the range of each."""
    lines = [
        f"{options.seconds:g} s of PPO on 10 to 20 nodes, then as long from there; one thread, CPU seconds, "
        f"{options.seeds} seeds; {date.today()}, {platform.machine()}; `python benchmarks/learning/fine_tuning.py`. "
        "Relative distance from the optimum, %: mean over seeds (best to worst).",
        "",
        "| new graphs | way | new, before | new, after | old, before | old, after |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for target, way in product(options.targets, options.ways):
        found = [report for job, report in zip(jobs, reports, strict=True) if job[1:] == (target, way)]
        cells = [_cell([100 * report[which][when] for report in found]) for which, when in MEASURES]
        lines.append(f"| {target} | {way} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(values: list[float]) -> str:
    """The mean of several runs, and their range."""
    return f"{statistics.mean(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def main(options: Options) -> None:
    """A row for each target and way."""
    problems = dict.fromkeys(TARGETS[target][0] for target in options.targets)
    jobs = list(product(range(options.seeds), options.targets, options.ways))
    with tempfile.TemporaryDirectory() as nowhere, ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        folder = options.runs or Path(nowhere)
        folder.mkdir(parents=True, exist_ok=True)
        list(pool.map(partial(start, options, folder), product(problems, range(options.seeds))))
        reports = list(pool.map(partial(go_on, options, folder), jobs))
    text = table(options, jobs, reports)
    print(text)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "fine-tuning.md").write_text(text)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
