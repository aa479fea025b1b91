"""Every problem with its defaults: trained on small instances, tested on larger ones, one table.

    python benchmarks/learning/problems.py [--seconds 120] [--seeds 3] [--only max-cut tour] [--out docs/tables]

Each run is one `graphwright train` of the given time on one thread, then `graphwright evaluate` on instances that are
the same for all runs; of the first seed also as the best of some draws, and beside the optimum. A linear policy learns
alike, where what is chosen has a linear head. Two runs go side by side. Seconds are the wall time of training.
"""

from __future__ import annotations

import json
import platform
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from kept_runs import once
from linear import POLICIES, has_linear, words

from graphwright.cli.problems import describe
from graphwright.envs.registry import PROBLEMS, find_problem
from graphwright.training.config import TrainConfig

TESTS: dict[str, dict[int, int]] = {
    "vertex-cover": {20: 200, 100: 100},
    "independent-set": {50: 200, 100: 50},
    "public-goods": {50: 200, 100: 100},
    "max-cut": {50: 100, 100: 50},
    "tour": {20: 200, 50: 100},
    "path-search": {50: 200, 100: 200},
    "steiner-tree": {50: 100, 100: 50},
    "graph-robustness": {20: 100, 50: 30},
    "grid-navigation": {36: 200, 100: 100},
    "network-repair": {15: 100, 30: 50},
    "locomotion": {4: 20, 8: 20},
}
"""Problem → number of nodes → number of test instances."""


@dataclass(frozen=True)
class Options:
    """What to train."""

    seconds: float = 120.0
    """Training time of each run."""
    seeds: int = 3
    """Runs of each problem, with the seeds 0, 1, ..."""
    only: tuple[str, ...] = ()
    """Problems; by default all."""
    options: str = ""
    """More options for `graphwright train`, as in --options="--ppo.epochs 5"."""
    graphs: int | None = None
    """At most so many test instances of each size."""
    samples: int = 16
    """Draws for the best-of column, of the first seed; 0 leaves it out."""
    workers: int = 2
    """Runs side by side."""
    time_limit: float = 10.0
    """Seconds for the exact solver, each test instance."""
    out: Path | None = None
    """Folder for the table, as problems.md and problems.json."""
    runs: Path | None = None
    """Folder that keeps the runs, where finished ones are used again; by default they go."""


def call(*arguments: object) -> str:
    """What `graphwright` prints."""
    command = [sys.executable, "-m", "graphwright", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def run(options: Options, folder: Path, problem: str, policy: str, seed: int) -> list[dict[str, Any]]:
    """Train and evaluate one seed of one problem: a row for each size. The first seed's network has more."""
    directory, first = folder / f"{problem}-{policy}-{seed}", policy == "network" and not seed
    more = shlex.split(options.options) + words(POLICIES[policy])
    given = ["--seconds", options.seconds, "--seed", seed, "--threads", 1, *more]
    once(directory, lambda new: call("train", problem, "--run", new, *given))
    seconds = options.time_limit if first else 0
    rows = []
    for size, graphs in TESTS[problem].items():
        test = [
            "evaluate",
            directory,
            "--sizes",
            size,
            "--graphs",
            min(graphs, options.graphs or graphs),
            "--threads",
            1,
            "--json",
        ]
        (row,) = json.loads(call(*test, "--time-limit", seconds))["rows"]
        if options.samples and first and not find_problem(problem).environment.actions.continuous:
            best = ["--decode", "best-of", "--samples", options.samples, "--time-limit", 0]
            row["best_of"] = json.loads(call(*test, *best))["rows"][0]["policy"]
        rows.append({"problem": problem, "kind": policy, "seed": seed, **row})
    return rows


def table(options: Options, results: list[list[dict[str, Any]]]) -> str:
    """The Markdown table of all rows."""
    lines = [
        f"{options.seconds:g} s of training on one thread, {options.seeds} seeds, {options.workers} runs side by side; "
        f"{date.today()}, {platform.machine()}, two cores, no GPU. Ratio: how many times worse than the optimum (its "
        "proven bound), or than the best heuristic where no optimum is proven; mean over seeds (best to worst).",
        "",
        "| problem | action | algorithm | trained on | nodes | random | heuristics | policy | optimum (proven) | "
        f"ratio | best of {options.samples} | a linear policy's ratio |",
        "|---|---|---|---|---:|---:|---|---:|---:|---:|---:|---:|",
    ]
    for name in TESTS:
        rows = [row for rows in results for row in rows if row["problem"] == name]
        for size in TESTS[name]:
            same = [row for row in rows if row["name"] == str(size)]
            if same:
                lines.append(_line(options, name, same))
    return "\n".join(lines) + "\n"


def _line(options: Options, name: str, rows: list[dict[str, Any]]) -> str:
    problem = find_problem(name)
    policies = {kind: [row for row in rows if row["kind"] == kind] for kind in POLICIES}
    first = next(row for row in policies["network"] if row["seed"] == 0)
    config = TrainConfig.for_problem(problem)
    blocks = ", ".join(describe(block) for block in problem.environment.actions.blocks)
    best_heuristic = (max if problem.environment.maximise else min)(first["heuristics"].values())
    reference = first["optimum"] if first["proven"] else best_heuristic

    def ratio_of(value: float) -> float:
        return reference / value if problem.environment.maximise else value / reference

    def ratios(kind: str, mark: str = "") -> str:
        found = [ratio_of(row["policy"]) for row in policies[kind]]
        return f"{mark}{np.mean(found):.4f}{mark} ({min(found):.4f}–{max(found):.4f})" if found else ""

    heuristics = ", ".join(f"{other} {value:.3f}" for other, value in first["heuristics"].items())
    optimum = f"{first['optimum']:.3f} ({first['proven']} of {first['graphs']})" if first["proven"] else "none"
    best = f"{ratio_of(first['best_of']):.4f}" if "best_of" in first else ""
    sizes = config.collection.sizes or problem.sizes
    cells = [name, blocks, config.algorithm, f"{min(sizes)}–{max(sizes)}", first["name"], f"{first['random']:.3f}"]
    cells += [heuristics, f"{np.mean([row['policy'] for row in policies['network']]):.3f}", optimum]
    return "| " + " | ".join([*cells, ratios("network", "**"), best, ratios("linear")]) + " |"


def main(options: Options) -> None:
    names = options.only or tuple(name for name in TESTS if name in PROBLEMS)
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(options.workers) as pool:
        folder = options.runs or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        jobs = [
            (name, policy, seed)
            for name, policy, seed in product(names, POLICIES, range(options.seeds))
            if policy == "network" or has_linear(find_problem(name).environment.actions)
        ]
        results = list(pool.map(lambda job: run(options, folder, *job), jobs))
    text = table(options, results)
    print(text)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "problems.md").write_text(text)
        (options.out / "problems.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
