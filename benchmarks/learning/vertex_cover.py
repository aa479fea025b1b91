"""Vertex cover, trained on small random graphs and tested on larger ones: several seeds, one table.

    python benchmarks/learning/vertex_cover.py --family watts-strogatz --seeds 5 [--seconds 60] [--out docs/tables]

Each seed is one `graphwright train` of the given time on one thread, and one `graphwright evaluate` on graphs that are
the same for all seeds. Two seeds run side by side. The table gives, for each size, the ratio of the mean cost to the
mean optimum: the mean over seeds, its 95 % t interval, and the worst seed, beside random and greedy.
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
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro

FAMILIES: dict[str, dict[str, Any]] = {
    "watts-strogatz": {
        "train": ["--generator", "watts-strogatz", "--sizes", "5", "10", "15", "--law", "uniform"],
        "seconds": 60,
        "tests": {20: 1000, 100: 200, 1000: 20},
    },
    "barabasi-albert": {
        "train": ["--generator", "barabasi-albert", "--sizes", *map(str, range(15, 21)), "--law", "one"],
        "seconds": 120,
        "tests": {18: 200, 50: 200, 100: 100, 200: 50},
    },
    "erdos-renyi": {
        "train": ["--generator", "erdos-renyi", "--sizes", *map(str, range(15, 21)), "--law", "one"],
        "seconds": 120,
        "tests": {18: 200, 45: 200, 75: 100},
    },
}
_T_975 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


@dataclass(frozen=True)
class Options:
    """What to train."""

    family: Literal["watts-strogatz", "barabasi-albert", "erdos-renyi"]
    """Random graphs, with the sizes, weights and times of the documentation."""
    seeds: int = 5
    """Number of runs, with the seeds 0, 1, ..."""
    seconds: float | None = None
    """Training time of each; by default that of the family."""
    graphs: int | None = None
    """At most so many test graphs of each size."""
    options: str = ""
    """More options for `graphwright train`, as in --options="--algorithm reinforce"."""
    out: Path | None = None
    """Folder for the table, as FAMILY.md and FAMILY.json."""
    runs: Path | None = None
    """Folder that keeps the runs; by default they go."""


def run_seed(options: Options, seed: int, folder: Path) -> list[dict[str, Any]]:
    """Train and evaluate one seed: a row for each size."""
    family = FAMILIES[options.family]
    run = folder / f"{options.family}-{seed}"
    seconds = str(options.seconds or family["seconds"])
    call = [sys.executable, "-m", "graphwright"]
    budget = ["--seconds", seconds, "--seed", str(seed), "--threads", "1", *shlex.split(options.options)]
    train = [*call, "train", "vertex-cover", "--run", str(run), *family["train"], *budget]
    subprocess.run(train, check=True, stderr=subprocess.DEVNULL)
    rows = []
    for size, graphs in family["tests"].items():
        graphs = min(graphs, options.graphs or graphs)
        test = ["evaluate", str(run), "--sizes", str(size), "--graphs", str(graphs), "--threads", "1", "--json"]
        output = subprocess.run([*call, *test], check=True, capture_output=True).stdout
        rows += json.loads(output)["rows"]
    return rows


def table(options: Options, results: list[list[dict[str, Any]]]) -> str:
    """The Markdown table of all seeds' rows."""
    seconds = options.seconds or FAMILIES[options.family]["seconds"]
    extra = f", {options.options}" if options.options else ""
    lines = [
        f"{options.family}, {seconds:g} s on one thread, seeds 0 to {options.seeds - 1}{extra}; {date.today()}, "
        f"{platform.machine()}, two seeds side by side on two cores.",
        "",
        "| nodes | graphs | proven | random | greedy | policy / optimum, mean of seeds | 95 % interval | worst seed |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for rows in zip(*results, strict=True):
        ratios = np.array([row["ratio"] for row in rows])
        spread = _T_975.get(len(ratios) - 1, 1.96) * ratios.std(ddof=1) / np.sqrt(len(ratios)) if len(ratios) > 1 else 0
        first = rows[0]
        lines.append(
            f"| {first['name']} | {first['graphs']} | {first['proven']} | {first['random'] / first['optimum']:.3f} | "
            f"{first['heuristics']['greedy'] / first['optimum']:.4f} | **{ratios.mean():.4f}** | "
            f"{ratios.mean() - spread:.4f} to {ratios.mean() + spread:.4f} | {ratios.max():.4f} |"
        )
    return "\n".join(lines) + "\n"


def main(options: Options) -> None:
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(2) as pool:
        folder = options.runs or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        results = list(pool.map(lambda seed: run_seed(options, seed, folder), range(options.seeds)))
    text = table(options, results)
    print(text)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / f"{options.family}.md").write_text(text)
        (options.out / f"{options.family}.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
