"""Flow networks against their exact targets: log Z and total variation, by enumeration.

    python benchmarks/learning/flow.py [--seeds 5] [--only ring-edges-4 ...] [--out docs/tables]

Each run is one thread, two runs side by side. Total variation is half the L1 distance between R / Z and the exact
distribution of the objects that the learned policy builds; beside it that of building by uniform random choice, and 0
would be perfect. Finished runs in --runs are used again.
"""

from __future__ import annotations

import json
import platform
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import torch
import tyro
from kept_runs import once
from rich.console import Console

from graphwright.envs.generative.enumeration import in_pieces, total_variation
from graphwright.envs.registry import find_problem
from graphwright.training.config import TrainConfig, changed
from graphwright.training.gflownet.evaluator import DistributionEvaluator, make_exact
from graphwright.training.train import train


class Setting(NamedTuple):
    """A row of the table."""

    task: str
    label: str
    trajectories: int
    changes: dict[str, Any]


SETTINGS = {
    "hyper-grid-8": Setting("hyper-grid", "8 × 8", 32_000, {}),
    "hyper-grid-16": Setting("hyper-grid", "16 × 16", 64_000, {"environment": {"side": 16}}),
    "hyper-grid-8^4": Setting("hyper-grid", "8 × 8 × 8 × 8", 96_000, {"environment": {"dimensions": 4}}),
    "ring-edges-3": Setting("ring-edges", "3 nodes", 64_000, {"environment": {"num_nodes": 3}}),
    "ring-edges-4": Setting("ring-edges", "4 nodes", 128_000, {"environment": {"num_nodes": 4}}),
    "two-colour-4": Setting("two-colour", "up to 4 nodes", 64_000, {"environment": {"context": {"max_nodes": 4}}}),
    "two-colour-5": Setting("two-colour", "up to 5 nodes", 256_000, {"environment": {"context": {"max_nodes": 5}}}),
    "dag-4": Setting("dag", "4 nodes, BGe", 64_000, {}),
}


@dataclass(frozen=True)
class Options:
    """What to run."""

    seeds: int = 5
    """Runs of each."""
    only: tuple[str, ...] = tuple(SETTINGS)
    """Settings."""
    trajectories: int | None = None
    """Of each run; by default those of its setting."""
    workers: int = 2
    """Runs side by side."""
    runs: Path = Path("runs/flow")
    """Where the runs are."""
    out: Path | None = None
    """Folder for the table, as flow.md and flow.json."""


def run(name: str, seed: int, options: Options) -> dict[str, float]:
    """In a process of its own: train, and compare exactly."""
    return dict(once(options.runs / f"{name}-{seed}", partial(_run, name, seed, options)))


def _run(name: str, seed: int, options: Options, directory: Path) -> dict[str, float]:
    setting = SETTINGS[name]
    steps = options.trajectories or setting.trajectories
    config = TrainConfig.for_problem(setting.task, steps=steps, seed=seed, threads=1)
    config = changed(config, {"validation": {"every": 10**6}, **setting.changes})
    trained = train(setting.task, config, directory, Console(quiet=True))
    assert isinstance(trained.evaluator, DistributionEvaluator)
    exact = trained.evaluator.exact
    assert exact is not None
    return {
        "log_z": trained.latest["log_z"],
        "log_z_exact": exact.log_z,
        "total_variation": trained.latest["total_variation"],
        "states": float(exact.space.num_states),
        "seconds": trained.counters.seconds,
    }


def random_distance(name: str) -> float:
    """The total variation of building by uniform random choice."""
    setting = SETTINGS[name]
    config = changed(TrainConfig.for_problem(setting.task), setting.changes)
    limit = config.validation.max_states
    exact = make_exact(find_problem(setting.task), config.environment, config.collection, limit)
    assert exact is not None
    environment, space = exact.environment, exact.space

    def log_probs(states: Any) -> torch.Tensor:
        mask = environment.actions.arrange(states, environment.observe(states).masks)
        count = torch.zeros(states.num_graphs).index_add(0, environment.actions.segments(states).index, mask.float())
        return torch.where(mask, -count.log()[environment.actions.segments(states).index], -torch.inf)

    return total_variation(space.reached(in_pieces(space.states, log_probs))[1], exact.target)


def main(options: Options) -> None:
    options.runs.mkdir(parents=True, exist_ok=True)
    jobs = [(name, seed) for name in options.only for seed in range(options.seeds)]
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        found = list(pool.map(run, *zip(*jobs, strict=True), [options] * len(jobs)))
    results = dict(zip(jobs, found, strict=True))
    lines = [
        f"After training, {options.seeds} seeds; {date.today()}, {platform.machine()}, two cores, no GPU. "
        "Mean over seeds (worst in brackets); seconds of one run on one thread, two side by side.",
        "",
        "| task | objects | algorithm | states | trajectories | log Z | its error | total variation | random "
        "| seconds |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in options.only:
        setting, rows = SETTINGS[name], [results[name, seed] for seed in range(options.seeds)]
        errors = [abs(row["log_z"] - row["log_z_exact"]) for row in rows]
        distances = [row["total_variation"] for row in rows]
        algorithm = TrainConfig.for_problem(setting.task).algorithm
        trajectories = options.trajectories or setting.trajectories
        lines.append(
            f"| {setting.task} | {setting.label} | {algorithm} | {rows[0]['states']:,.0f} | {trajectories:,} "
            f"| {rows[0]['log_z_exact']:.6f} | {_mean(errors):.4f} ({max(errors):.4f}) "
            f"| {_mean(distances):.4f} ({max(distances):.4f}) | {random_distance(name):.3f} "
            f"| {_mean([row['seconds'] for row in rows]):.0f} |"
        )
    table = "\n".join(lines) + "\n"
    print(table)
    if options.out is not None:
        (options.out / "flow.md").write_text(table)
        every = {f"{name} {seed}": row for (name, seed), row in results.items()}
        (options.out / "flow.json").write_text(json.dumps(every, indent=1))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
