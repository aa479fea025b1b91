"""Whether critics that pool over the graph learn faster than concatenated ones, and go further to larger teams.

    python benchmarks/learning/teams.py [--steps 40000] [--seeds 5] [--only qmix coma] [--runs runs/teams] [--out docs]

Each run has one thread and teams of one size; an evaluation follows with that many agents and with twice as many, on
teams that are the same for all, decoded as in validation. What acts is the same graph network in every run, of any
size; what differs is what critic or mixer read. Concatenated critics have as many places as the teams of training have
agents. Runs that --runs holds already are not trained again: give each set of options a folder of its own.
"""

from __future__ import annotations

import csv
import platform
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from kept_runs import once
from matplotlib.figure import Figure
from rich.console import Console

from graphwright.envs.registry import find_problem
from graphwright.training.config import TrainConfig, changed
from graphwright.training.evaluate_team import TeamOptions, evaluate_team, play_rule, require_team
from graphwright.training.statistics import mean_interval
from graphwright.training.train import train

ON_POLICY = "central-v", "coma", "ippo", "mappo"
"""What learns from each step once, and takes more of them in the same time."""
PLACES = {"inputs": "concatenated"}
ALGORITHMS: dict[str, tuple[str, dict[str, Any]]] = {
    "qmix, pooled": ("qmix", {}),
    "qmix, concatenated": ("qmix", {"settings": PLACES}),
    "central-v, pooled": ("central-v", {}),
    "central-v, concatenated": ("central-v", {"settings": PLACES}),
    "coma, pooled": ("coma", {}),
    "coma, concatenated": ("coma", {"settings": PLACES}),
    "maddpg, pooled": ("maddpg", {}),
    "maddpg, concatenated, a head a place": ("maddpg", {"settings": PLACES | {"own_heads": True}}),
    "qmix, pooled, Munchausen": ("qmix", {"settings": {"munchausen": 0.9}}),
    "qmix, pooled, GRU": ("qmix", {"collection": {"memory": 32}}),
    "mappo, pooled": ("mappo", {}),
    "mappo, pooled, GRU": ("mappo", {"collection": {"memory": 32}}),
    "vdn": ("vdn", {}),
    "iql": ("iql", {}),
    "ippo": ("ippo", {}),
}
"""Row of the table → the algorithm, and what differs from its defaults."""
SHARE = 0.9
"""Of the way to the best return: when that was reached."""


@dataclass(frozen=True)
class Options:
    """What to train."""

    steps: int = 40_000
    """Team steps of each run that learns from a replay."""
    times: float = 2.5
    """How many times as many others take."""
    seeds: int = 5
    """Runs of each, with the seeds 0, 1, ..."""
    only: tuple[str, ...] = ()
    """Words; only rows that begin with one of them."""
    problem: str = "spread"
    """Played by a team."""
    scripted: str = "assigned"
    """Its scripted team, at whom the way from random choice ends."""
    agents: int = 3
    """Of each team in training; it is tested with so many and with twice as many."""
    episodes: int = 100
    """Of each test."""
    watched: int = 64
    """Episodes of each validation, of which there are some twenty."""
    width: int = 64
    """Of the networks."""
    workers: int = 2
    """Runs side by side."""
    runs: Path | None = None
    """Folder for the runs; by default they are not kept."""
    out: Path | None = None
    """Folder for tables/teams-PROBLEM.md and images/teams-PROBLEM.png."""

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of agents to test with."""
        return self.agents, 2 * self.agents

    def config(self, name: str, seed: int) -> TrainConfig:
        """Of a run of that row."""
        algorithm, changes = ALGORITHMS[name]
        steps = round(self.steps * (self.times if algorithm in ON_POLICY else 1))
        config = TrainConfig.for_problem(self.problem, algorithm, steps=steps, seed=seed, threads=1)
        config = changed(config, {"collection": {"sizes": (self.agents,)}, "encoder": {"width": self.width}})
        config = changed(config, {"validation": {"graphs": self.watched, "sizes": (self.agents,)}})
        if changes.get("settings", {}).get("inputs") == "concatenated":
            config = changed(config, {"settings": {"max_agents": self.agents}})
        config = changed(config, changes)
        update = config.collection.num_envs * config.collection.num_steps
        return changed(config, {"validation": {"every": max(steps // (20 * update), 1)}})


def run(options: Options, folder: Path, job: tuple[str, int]) -> dict[str, Any]:
    """In a process of its own: train and evaluate. What happened on the way, and the scores of each size."""
    name, seed = job
    directory = folder / f"{options.problem}-{name.replace(', ', '-').replace(' ', '-')}-{seed}"
    return dict(once(directory, partial(_run, options, job)))


def _run(options: Options, job: tuple[str, int], directory: Path) -> dict[str, Any]:
    name, seed = job
    torch.set_num_threads(1)
    agent = train(options.problem, options.config(name, seed), directory, Console(quiet=True)).agent()
    with open(directory / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    curve = [(int(row["steps"]), float(row["validation_return"])) for row in rows if row["validation_return"]]
    tests = evaluate_team(agent, TeamOptions(agents=options.sizes, episodes=options.episodes), baselines=False)
    return {"name": name, "seed": seed, "curve": curve, "scores": [dict(row.score) for row in tests]}


def steps_to_most(curve: Sequence[tuple[int, float]], random: float) -> float:
    """Steps after which the return in validation had come most of the way from `random`, or less, to its best."""
    start, best = min(random, curve[0][1]), max(value for _, value in curve)
    goal = start + SHARE * (best - start)
    return next(steps for steps, value in curve if value >= goal)


def cell(values: Sequence[float] | np.ndarray, digits: int) -> str:
    """Mean and its 95 % interval over seeds."""
    return mean_interval(torch.tensor(values, dtype=torch.float64)).text(digits)


def scripted(options: Options) -> dict[str, list[float]]:
    """The return to an agent of random choice and of the scripted team, with each number of agents."""
    problem, playing = find_problem(options.problem), TeamOptions(agents=options.sizes, episodes=options.episodes)
    environment = require_team(problem, problem.environment)
    found = {}
    for name in ("random", options.scripted):
        rows = play_rule(problem, environment, name, playing)
        found[name] = [row.score["return_per_agent"] for row, _ in rows]
    return found


def table(options: Options, beside: dict[str, list[float]], found: list[dict[str, Any]]) -> str:
    """As Markdown, the runs `found` between random choice and the scripted team of `beside`."""
    small, large = options.sizes
    lines = [
        f"`{options.problem}`, trained with {small} agents on one thread, {options.episodes} episodes "
        f"each; {date.today()}, {platform.machine()}, torch {torch.__version__}, no GPU; `python "
        f"benchmarks/learning/teams.py`. Mean over seeds with its 95 % interval; the way is that from random choice "
        f"(0) to `{options.scripted}` (1), at each number of agents.",
        "",
        f"| trained with {small} agents | return to an agent | of the way, {small} agents | {large} agents | lost | "
        f"steps to {100 * SHARE:g} % of the best | steps in all | seeds |",
        "|---|" + "---:|" * 7,
    ]
    for name in ALGORITHMS:
        runs = [each for each in found if each["name"] == name]
        if not runs:
            continue
        returns = np.array([[score["return_per_agent"] for score in each["scores"]] for each in runs])
        low, high = (np.array(beside[rule]) for rule in ("random", options.scripted))
        way = (returns - low) / (high - low)
        cells = [cell(returns[:, 0], 1), *(cell(column, 2) for column in way.T), cell(way[:, 0] - way[:, 1], 2)]
        cells.append(cell([steps_to_most(each["curve"], low[0]) for each in runs], 0))
        cells += [f"{runs[0]['curve'][-1][0]:,}", str(len(runs))]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    for name, values in beside.items():
        lines.append(f"| *{name}* | {values[0]:.1f} ({large} agents {values[1]:.1f}) | | | | | | |")
    return "\n".join(lines) + "\n"


def picture(options: Options, found: list[dict[str, Any]]) -> Figure:
    """The return in validation while each algorithm learns, by what its critic or mixer reads: mean, least to most."""
    names = [name for name in ("qmix", "central-v", "coma", "maddpg") if any(name in each["name"] for each in found)]
    figure = Figure(figsize=(3.2 * max(len(names), 1), 3.2), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, max(len(names), 1), sharey=True))
    for axes, name in zip(panels, names, strict=False):
        for how, colour in (("pooled", "#e4572e"), ("concatenated", "#1f2933")):
            rows = (f"{name}, {how}", f"{name}, {how}, a head a place")
            curves = [each["curve"] for each in found if each["name"] in rows]
            if curves:
                steps = [step / 1000 for step, _ in curves[0]]
                values = np.array([[value for _, value in curve] for curve in curves])
                axes.plot(steps, values.mean(0), color=colour, label=how)
                axes.fill_between(steps, values.min(0), values.max(0), color=colour, alpha=0.15, linewidth=0)
        axes.set(title=name, xlabel="thousand team steps")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("return to an agent in validation")
    if panels[0].lines:
        panels[0].legend(frameon=False, loc="lower right")
    return figure


def main(options: Options) -> None:
    names = [name for name in ALGORITHMS if not options.only or name.startswith(options.only)]
    jobs = [(name, seed) for seed, name in product(range(options.seeds), names)]
    beside = scripted(options)  # first, so that a wrong name costs no hours of training
    with tempfile.TemporaryDirectory() as nowhere, ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        folder = options.runs or Path(nowhere)
        folder.mkdir(parents=True, exist_ok=True)
        work: Callable[[tuple[str, int]], dict[str, Any]] = partial(run, options, folder)
        found = list(pool.map(work, jobs))
    text = table(options, beside, found)
    print(text)
    if options.out is not None:
        for name in ("tables", "images"):
            (options.out / name).mkdir(parents=True, exist_ok=True)
        (options.out / "tables" / f"teams-{options.problem}.md").write_text(text)
        picture(options, found).savefig(options.out / "images" / f"teams-{options.problem}.png", dpi=120)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
