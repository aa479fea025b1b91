"""Whether critics that pool over the graph learn faster than concatenated ones, and go further to larger teams.

    python benchmarks/learning/teams.py [--seconds 600] [--seeds 5] [--only qmix coma] [--out docs/tables]

Each run is one `graphwright train` of the given time on one thread with teams of one size, and a greedy `graphwright
evaluate` with that many agents and with twice as many, on teams that are the same for all. What acts is the same graph
network in every run, of any size; what differs is what critic or mixer read. Concatenated critics have as many places
as the teams of training have agents.
"""

from __future__ import annotations

import csv
import json
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import tyro

READING = {"pooled": "--{0}.inputs pooled", "concatenated": "--{0}.inputs concatenated --{0}.max-agents {1}"}
ALGORITHMS = {
    **{f"{name}, {how}": (name, words) for name in ("qmix", "central-v", "coma") for how, words in READING.items()},
    "maddpg, pooled": ("maddpg", READING["pooled"]),
    "maddpg, concatenated, a head a place": ("maddpg", READING["concatenated"] + " --{0}.own-heads"),
    "qmix, pooled, Munchausen": ("qmix", READING["pooled"] + " --{0}.munchausen 0.9"),
    "vdn": ("vdn", ""),
    "iql": ("iql", ""),
    "iac": ("iac", ""),
    "ippo": ("ippo", ""),
    "mappo": ("mappo", READING["pooled"]),
    "ppo": ("ppo", ""),
}  # fmt: skip
"""Row of the table → the algorithm, and options for its name and the number of agents."""
SMOOTHED = 5


@dataclass(frozen=True)
class Options:
    """What to train."""

    seconds: float = 600.0
    """Training time of each run."""
    seeds: int = 5
    """Runs of each, with the seeds 0, 1, ..."""
    only: tuple[str, ...] = ()
    """Words; only rows that begin with one of them."""
    problem: str = "coverage"
    """Played by a team."""
    agents: int = 3
    """Of each team in training; it is tested with so many and with twice as many."""
    options: str = ""
    """More options for `graphwright train`."""
    episodes: int = 100
    """Of each test."""
    workers: int = 2
    """Runs side by side."""
    out: Path | None = None
    """Folder for the table, as teams.md and teams.json."""


def call(*arguments: object) -> str:
    """What `graphwright` prints."""
    command = [sys.executable, "-m", "graphwright", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def run(options: Options, name: str, seed: int) -> dict[str, Any]:
    """Train and evaluate: what happened on the way, and a row for each size."""
    algorithm, words = ALGORITHMS[name]
    more = shlex.split(f"{words.format(algorithm, options.agents)} {options.options}")
    sizes = (options.agents, 2 * options.agents)
    with tempfile.TemporaryDirectory() as folder:
        directory = f"{folder}/run"
        length = ("--seconds", options.seconds, "--seed", seed, "--threads", 1)
        call(
            "train", options.problem, "--algorithm", algorithm, "--agents", sizes[0], "--run", directory, *length, *more
        )
        with open(f"{directory}/metrics.csv", newline="") as file:
            curve = [(float(row["steps"]), float(row["return"] or "nan")) for row in csv.DictReader(file)]
        test = ("--agents", *sizes, "--episodes", options.episodes, "--threads", 1, "--json")
        rows = json.loads(call("evaluate", directory, *test))["rows"]
    quick = steps_to_most(curve)
    return {"name": name, "seed": seed, "steps": curve[-1][0], "steps_to_90": quick, "rows": rows}


def steps_to_most(curve: list[tuple[float, float]], share: float = 0.9) -> float:
    """Steps after which the return of training episodes had come `share` of the way from its first to its best."""
    known = [(steps, value) for steps, value in curve if value == value]
    if not known:
        return float("nan")
    smooth = [
        (steps, statistics.mean(value for _, value in known[max(0, place + 1 - SMOOTHED) : place + 1]))
        for place, (steps, _) in enumerate(known)
    ]
    first, best = smooth[0][1], max(value for _, value in smooth)
    return next(steps for steps, value in smooth if value >= first + share * (best - first))


def cell(values: list[float], digits: int, percent: bool = False) -> str:
    """Mean (worst to best) over seeds."""
    scale = 100 if percent else 1
    low, mean, high = (scale * f(values) for f in (min, statistics.mean, max))
    return f"{mean:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def table(options: Options, found: list[dict[str, Any]]) -> str:
    """As Markdown."""
    small, large = options.agents, 2 * options.agents
    lines = [
        f"`{options.problem}`, trained with {small} agents for {options.seconds:g} s on one thread, {options.seeds} "
        f"seeds, {options.workers} runs side by side; {options.episodes} greedy episodes each; {date.today()}, "
        f"{platform.machine()}, no GPU; `python benchmarks/learning/teams.py`. Mean over seeds (least to most).",
        "",
        f"| trained with | success %, {small} agents | {large} agents | return to an agent, {small} | {large} | "
        "steps to 90 % of the best return | steps in all |",
        "|---|" + "---:|" * 6,
    ]
    for name in ALGORITHMS:
        runs = [each for each in found if each["name"] == name]
        if runs:
            by_size = [[each["rows"][place] for each in runs] for place in (0, 1)]
            cells = [cell([row["success"] for row in rows], 0, percent=True) for rows in by_size]
            cells += [cell([row["return_per_agent"] for row in rows], 2) for rows in by_size]
            cells += [cell([each[key] for each in runs], 0) for key in ("steps_to_90", "steps")]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    for name in found[0]["rows"][0]["baselines"]:
        rows = [found[0]["rows"][place]["baselines"][name] for place in (0, 1)]
        cells = [f"{100 * row['success']:.0f}" for row in rows] + [f"{row['return_per_agent']:.2f}" for row in rows]
        lines.append(f"| *{name}* | " + " | ".join(cells) + " | | |")
    return "\n".join(lines) + "\n"


def main(options: Options) -> None:
    names = [name for name in ALGORITHMS if not options.only or name.startswith(options.only)]
    jobs = list(product(names, range(options.seeds)))
    with ThreadPoolExecutor(options.workers) as pool:
        found = list(pool.map(lambda job: run(options, *job), jobs))
    text = table(options, found)
    print(text)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "teams.md").write_text(text)
        (options.out / "teams.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
