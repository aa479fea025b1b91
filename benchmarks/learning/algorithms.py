"""Every algorithm that plays, on problems of several kinds, for the same time, beside a linear policy.

    python benchmarks/learning/algorithms.py [--seconds 60] [--seeds 3] [--only dqn ppo] [--out docs/tables]

Each run is one `graphwright train` of the given time on one thread with the defaults of problem and algorithm, then a
greedy `graphwright evaluate` on instances that are the same for all; the exact solver is asked about these once.
"linear" is PPO with an encoder of depth 0 and a linear head: it sees the columns of a node and nothing of its
neighbours but what those say.
"""

from __future__ import annotations

import json
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import tyro

from graphwright.envs.registry import find_problem

LINEAR = "--encoder.depth 0 --encoder.no-norm --heads.nodes linear"
ALGORITHMS = {
    "ppo": "--algorithm ppo",
    "a2c": "--algorithm a2c",
    "reinforce": "--algorithm reinforce",
    "dqn": "--algorithm dqn",
    "dqn, Munchausen": "--algorithm dqn --dqn.munchausen 0.9",
    "dqn, by priority": "--algorithm dqn --priority 0.6",
    "sac": "--algorithm sac",
    "awac": "--algorithm awac",
    "linear": f"--algorithm ppo {LINEAR}",
}
SIZES = {"vertex-cover": 50, "independent-set": 50, "max-cut": 50, "tour": 20}


@dataclass(frozen=True)
class Options:
    """What to train."""

    seconds: float = 60.0
    """Training time of each run."""
    seeds: int = 3
    """Runs of each algorithm on each problem, with the seeds 0, 1, ..."""
    only: tuple[str, ...] = ()
    """Algorithms; by default all."""
    problems: tuple[str, ...] = tuple(SIZES)
    """Problems."""
    options: str = ""
    """More options for `graphwright train`."""
    graphs: int = 100
    """Test instances."""
    workers: int = 2
    """Runs side by side."""
    time_limit: float = 5.0
    """Seconds for the exact solver, each test instance."""
    out: Path | None = None
    """Folder for the table, as algorithms.md and algorithms.json."""


def call(*arguments: object) -> str:
    """What `graphwright` prints."""
    command = [sys.executable, "-m", "graphwright", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def run(options: Options, name: str, problem: str, seed: int) -> dict[str, Any]:
    """Train and evaluate: the row of `graphwright evaluate`."""
    with tempfile.TemporaryDirectory() as folder:
        directory, more = f"{folder}/run", shlex.split(f"{ALGORITHMS[name]} {options.options}")
        call("train", problem, "--run", directory, "--seconds", options.seconds, "--seed", seed, "--threads", 1, *more)
        test = ["--sizes", SIZES[problem], "--graphs", options.graphs, "--time-limit", 0]
        (row,) = json.loads(call("evaluate", directory, *test, "--threads", 1, "--json", "--policy-only"))["rows"]
    return {"algorithm": name, "seed": seed, "problem": problem, **row}


def optimum(options: Options, problem: str) -> float:
    """The mean of what the exact solver finds on the test instances, in the time that it is given."""
    test = ["--sizes", SIZES[problem], "--graphs", options.graphs, "--time-limit", options.time_limit]
    (row,) = json.loads(call("evaluate", problem, "--policy", "solver", *test, "--threads", 1, "--json"))["rows"]
    return float(row["objective"])


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
        f"{options.seconds:g} s of training on one thread, {options.seeds} seeds, {options.workers} runs side by side; "
        f"{date.today()}, {platform.machine()}, no GPU; `python benchmarks/learning/algorithms.py`. Ratio to the "
        "optimum, 1 is best: mean over seeds (best to worst).",
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
    spread = f" ({min(ratios):.4f}–{max(ratios):.4f})" if len(ratios) > 1 else ""
    return f"{statistics.mean(ratios):.4f}{spread}"


def _reference(rows: list[dict[str, Any]], problem: str, name: str, optima: dict[str, float]) -> str:
    """The ratio of random choice, or of the best heuristic."""
    row = next(row for row in rows if row["problem"] == problem)
    best = max if find_problem(problem).optimization.maximise else min
    worth = row["random"] if name == "random" else best(row["heuristics"].values())
    return f"{ratio(problem, optima[problem], worth):.4f}"


def main(options: Options) -> None:
    names = options.only or tuple(ALGORITHMS)
    jobs = list(product(names, options.problems, range(options.seeds)))
    with ThreadPoolExecutor(options.workers) as pool:
        optima = {problem: optimum(options, problem) for problem in options.problems}
        rows = list(pool.map(lambda job: run(options, *job), jobs))
    text = table(options, rows, optima)
    print(text)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "algorithms.md").write_text(text)
        (options.out / "algorithms.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
