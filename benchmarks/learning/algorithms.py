"""Every algorithm that plays, on problems of several kinds, for the same time, beside a linear policy.

    python benchmarks/learning/algorithms.py [--seconds 60] [--seeds 5] [--only dqn ppo] [--runs DIR] [--out DIR]

Each run has one thread, the given time of the processor and the defaults of problem and algorithm; then it is tested,
greedily, on instances that are the same for all, about which the exact solver is asked once. "linear" is PPO with an
encoder of depth 0 and a linear head: it sees the columns of a node and nothing of its neighbours but what those say.
What --runs holds already is not trained again: give each time its own folder.
"""

from __future__ import annotations

import dataclasses
import platform
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
import tyro
from kept_runs import once
from linear import LINEAR
from processor_time import ProcessorClock
from rich.console import Console

from graphwright.envs.registry import find_problem
from graphwright.training.config import TrainConfig, changed
from graphwright.training.control import ControlOptions, random_instances
from graphwright.training.evaluate_heuristic import evaluate_heuristic
from graphwright.training.evaluate_solutions import EvaluationOptions, evaluate_solutions
from graphwright.training.train import train

ALGORITHMS: dict[str, tuple[str, dict[str, Any]]] = {
    "ppo": ("ppo", {}),
    "a2c": ("a2c", {}),
    "reinforce": ("reinforce", {}),
    "dqn": ("dqn", {}),
    "dqn, Munchausen": ("dqn", {"settings": {"munchausen": 0.9}}),
    "dqn, by priority": ("dqn", {"collection": {"priority": 0.6}}),
    "sac": ("sac", {}),
    "awac": ("awac", {}),
    "linear": ("ppo", LINEAR),
}
"""Row of the table → the algorithm, and what differs from its defaults."""
SIZES = {"vertex-cover": 50, "independent-set": 50, "max-cut": 50, "tour": 20}
"""Problem → nodes of the test instances."""
WATCHED = {"sizes": (20, 30), "graphs": 24}
"""Instances of validation: few, so that a minute of one core goes to learning."""


@dataclass(frozen=True)
class Options:
    """What to train."""

    seconds: float = 60.0
    """Of the processor, in which each run learns."""
    seeds: int = 5
    """Runs of each algorithm on each problem, with the seeds 0, 1, ..."""
    only: tuple[str, ...] = ()
    """Algorithms; by default all."""
    problems: tuple[str, ...] = tuple(SIZES)
    """Problems."""
    graphs: int = 100
    """Test instances."""
    workers: int = 2
    """Runs side by side."""
    time_limit: float = 5.0
    """Seconds for the exact solver, each test instance."""
    runs: Path | None = None
    """Folder for the runs; by default they are not kept."""
    out: Path | None = None
    """Folder for the table, algorithms-SECONDSs.md."""


def run(options: Options, folder: Path, job: tuple[str, str, int]) -> dict[str, Any]:
    """In a process of its own: train and test. What `evaluate_solutions` says."""
    name, problem, seed = job
    directory = folder / f"{problem}-{name.replace(', ', '-').replace(' ', '-')}-{seed}"
    return dict(once(directory, partial(_run, options, job)))


def _run(options: Options, job: tuple[str, str, int], directory: Path) -> dict[str, Any]:
    name, problem, seed = job
    algorithm, changes = ALGORITHMS[name]
    config = TrainConfig.for_problem(problem, algorithm, seconds=options.seconds, seed=seed, threads=1)
    config = changed(changed(config, {"validation": WATCHED}), changes)
    learned = train(problem, config, directory, Console(quiet=True), callbacks=(ProcessorClock(),))
    test = EvaluationOptions(sizes=(SIZES[problem],), graphs=options.graphs, time_limit=0, policy_only=True)
    (row,) = evaluate_solutions(learned.agent(), test)
    steps = learned.counters.steps
    return {**dataclasses.asdict(row), "algorithm": name, "problem": problem, "seed": seed, "steps": steps}


def optimum(options: Options, problem: str) -> float:
    """The mean of what the exact solver finds on the test instances in its time."""
    known, test = find_problem(problem), ControlOptions(sizes=(SIZES[problem],), graphs=options.graphs)
    instances = random_instances(known, test)
    (row,) = evaluate_heuristic(known, known.optimization, "solver", instances, time_limit=options.time_limit)
    return row.objective


def ratio(problem: str, optimum: float, value: float) -> float:
    """How many times worse than the optimum."""
    return optimum / value if find_problem(problem).optimization.maximise else value / optimum


def table(options: Options, rows: list[dict[str, Any]], optima: dict[str, float]) -> str:
    """As Markdown: means of the ratios to the optimum, best to worst."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        found[row["algorithm"], row["problem"]].append(ratio(row["problem"], optima[row["problem"]], row["policy"]))
    problems = [problem for problem in options.problems if any(row["problem"] == problem for row in rows)]
    lines = [
        f"{options.seconds:g} s of the processor for each run, one thread; {date.today()}, {platform.machine()}, torch "
        f"{torch.__version__}, no GPU; `python benchmarks/learning/algorithms.py --seconds {options.seconds:g}`. Ratio "
        "to the optimum, 1 is best: mean over seeds (best to worst; how many).",
        "",
        "| algorithm | " + " | ".join(f"{problem}, {SIZES[problem]} nodes" for problem in problems) + " |",
        "|---|" + "---:|" * len(problems),
    ]
    for name in ALGORITHMS:
        cells = [found.get((name, problem)) for problem in problems]
        if any(cells):
            lines.append(f"| {name} | " + " | ".join(map(_cell, cells)) + " |")
    for name in ("best heuristic", "random"):
        ratios = [_reference(rows, problem, name, optima) for problem in problems]
        lines.append(f"| {name} | " + " | ".join(ratios) + " |")
    return "\n".join(lines) + "\n"


def _cell(ratios: list[float] | None) -> str:
    """The mean of several runs, and their range."""
    if not ratios:
        return ""
    return f"{statistics.mean(ratios):.4f} ({min(ratios):.4f}–{max(ratios):.4f}; {len(ratios)})"


def _reference(rows: list[dict[str, Any]], problem: str, name: str, optima: dict[str, float]) -> str:
    """The ratio of random choice, or of the best heuristic."""
    row = next(row for row in rows if row["problem"] == problem)
    best = max if find_problem(problem).optimization.maximise else min
    worth = row["random"] if name == "random" else best(row["heuristics"].values())
    return f"{ratio(problem, optima[problem], worth):.4f}"


def main(options: Options) -> None:
    names = options.only or tuple(ALGORITHMS)
    jobs = [(name, problem, seed) for seed, name, problem in product(range(options.seeds), names, options.problems)]
    optima = {problem: optimum(options, problem) for problem in options.problems}
    with tempfile.TemporaryDirectory() as nowhere, ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        folder = options.runs or Path(nowhere)
        folder.mkdir(parents=True, exist_ok=True)
        work: Callable[[tuple[str, str, int]], dict[str, Any]] = partial(run, options, folder)
        rows = list(pool.map(work, jobs))
    text = table(options, rows, optima)
    print(text)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / f"algorithms-{options.seconds:g}s.md").write_text(text)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
