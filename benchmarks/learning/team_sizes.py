"""Coverage: trained with few agents, evaluated with more, beside scripted agents and published weights.

    python benchmarks/learning/team_sizes.py [--seconds 1800] [--seeds 5] [--algorithms ppo] [--folder runs/coverage]

A run for each algorithm, choice of team sizes and seed; each is evaluated zero-shot, greedy, on 100 episodes of every
number of agents. The published figures are those of the weights that Agarwal, Kumar, Sycara & Lewis (2020) give out, in
per cent of success. Runs that are there already are evaluated again, not trained again.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from rich.console import Console

from graphwright.envs.registry import find_problem
from graphwright.training.agent import load
from graphwright.training.config import TrainConfig
from graphwright.training.evaluate_team import TeamOptions, evaluate_team, play_rule, require_team
from graphwright.training.train import train

PUBLISHED = {"published, 3": (97, 77, 13, 0), "published, 5": (97, 93, 77, 13)}
"""Success in per cent with 3, 5, 7 and 10 agents, by the number that the weights were trained with."""


@dataclass(frozen=True)
class Options:
    """What is trained, and how long."""

    seconds: float = 1800.0
    """Of each run."""
    steps: int | None = None
    """Team steps in place of them: the same on a busy machine."""
    seeds: int = 5
    """Runs of each kind."""
    algorithms: tuple[str, ...] = ("ppo",)
    """As `graphwright algorithms` lists them."""
    mixtures: tuple[str, ...] = ("3", "3,4,5")
    """Numbers of agents of each kind of run."""
    agents: tuple[int, ...] = (3, 5, 7, 10)
    """Numbers of agents to evaluate with."""
    episodes: int = 100
    """Of each evaluation."""
    threads: int = 2
    """CPU threads."""
    num_envs: int = 64
    """Episodes side by side."""
    watched: int = 32
    """Episodes of each validation."""
    folder: Path | None = None
    """Where runs are kept; by default nowhere."""
    json: bool = False
    """Write JSON."""


@dataclass(frozen=True)
class Row:
    """Success in per cent, in the mean over runs, and of each run."""

    name: str
    success: list[float]
    runs: list[list[float]]


def measured(options: Options, folder: Path) -> list[Row]:
    """All rows: baselines, what is published, and what is trained here."""
    problem, playing = find_problem("coverage"), TeamOptions(agents=options.agents, episodes=options.episodes)
    environment = require_team(problem, problem.environment)
    rows = []
    for name in ("random", *problem.baselines):
        found = [100 * row.score["success"] for row, _ in play_rule(problem, environment, name, playing)]
        rows.append(Row(name, found, []))
    if options.agents == (3, 5, 7, 10):
        rows += [Row(name, [float(each) for each in values], []) for name, values in PUBLISHED.items()]
    for algorithm in options.algorithms:
        for mixture in options.mixtures:
            sizes = tuple(int(each) for each in mixture.split(","))
            runs = [one_run(options, folder, algorithm, sizes, seed, playing) for seed in range(options.seeds)]
            rows.append(Row(f"{algorithm}, {mixture}", np.mean(runs, axis=0).tolist(), runs))
    return rows


def one_run(
    options: Options, folder: Path, algorithm: str, sizes: Sequence[int], seed: int, playing: TeamOptions
) -> list[float]:
    """The success of one run in per cent, trained if it is not there."""
    directory = folder / f"{algorithm}-{'-'.join(map(str, sizes))}-{seed}"
    if not directory.exists():
        collection = {"sizes": tuple(sizes), "num_envs": options.num_envs}
        changes: dict[str, Any] = {"collection": collection, "validation": {"graphs": options.watched}}
        changes |= {"seed": seed, "threads": options.threads}
        config = TrainConfig.for_problem(
            "coverage",
            algorithm,
            seconds=None if options.steps else options.seconds,
            steps=options.steps,
            **changes,
        )
        train("coverage", config, directory, Console(stderr=True))
    return [100 * row.score["success"] for row in evaluate_team(load(directory), playing, baselines=False)]


def main(options: Options) -> None:
    """Measure all, and print a table."""
    with tempfile.TemporaryDirectory() as nowhere:
        rows = measured(options, options.folder or Path(nowhere))
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    print(f"| policy | {' | '.join(f'{each} agents' for each in options.agents)} |")
    print("|---" * (1 + len(options.agents)) + "|")
    for row in rows:
        print(f"| {row.name} | {' | '.join(_cell(row, place) for place in range(len(options.agents)))} |")


def _cell(row: Row, place: int) -> str:
    """The mean, and each of several runs."""
    each = f" ({', '.join(f'{run[place]:.0f}' for run in row.runs)})" if len(row.runs) > 1 else ""
    return f"{row.success[place]:.0f}{each}"


if __name__ == "__main__":
    main(tyro.cli(Options))
