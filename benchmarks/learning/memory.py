"""What a memory costs agents that see little, and what it gains.

    python benchmarks/learning/memory.py [--steps 100000] [--seeds 3] [--only patrol] [--out FILE]

Each run learns from so many team steps on one thread, with and without a gated recurrent unit (`--memory`), and plays
episodes as it was validated, on instances that are the same for all. Time is that of the processor, of training alone.
"""

from __future__ import annotations

import platform
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import torch
import tyro
from rich.console import Console

from graphwright.training.config import TrainConfig
from graphwright.training.evaluate_team import TeamOptions, evaluate_team
from graphwright.training.train import train

HIDDEN: dict[str, dict[str, int]] = {"patrol": {"sight": 1}, "foraging": {"sight": 2}}
"""Problem → its options, by which agents see little."""
NO_EVALUATION = 10**6


@dataclass(frozen=True)
class Options:
    """What is trained."""

    steps: int = 100_000
    """Team steps of each run."""
    seeds: int = 3
    """Runs of each, with the seeds 0, 1, ..."""
    only: tuple[str, ...] = tuple(HIDDEN)
    """Problems."""
    algorithms: tuple[str, ...] = ("mappo", "vdn")
    """With which each is learned."""
    memory: int = 32
    """Numbers that agents remember, where they do."""
    episodes: int = 200
    """Of each test."""
    out: Path | None = None
    """File for the table."""


def run(options: Options, problem: str, algorithm: str, memory: int, seed: int) -> tuple[float, float]:
    """Team steps a second of processor time, and the return to an agent of the largest teams of training."""
    config = TrainConfig.for_problem(
        problem,
        algorithm,
        steps=options.steps,
        seed=seed,
        threads=1,
        collection={"memory": memory},
        validation={"every": NO_EVALUATION, "sizes": (2,), "graphs": 2},
        checkpoint_seconds=1e9,
    )
    config = replace(config, environment=replace(config.environment, **HIDDEN[problem]))
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        trained: Any = train(problem, config, Path(folder) / "run", Console(quiet=True))
        seconds = time.process_time() - began
        agent = replace(trained.agent(), policy=trained.algorithm.policy)  # the last one, not the best by chance
        row = evaluate_team(agent, TeamOptions(episodes=options.episodes), baselines=False)[-1]
    return options.steps / seconds, row.score["return_per_agent"]


def main(options: Options) -> None:
    """Train, and print the table line by line."""
    torch.set_num_threads(1)
    lines = [
        f"{options.steps:,} team steps on one thread, {options.seeds} seeds, {options.episodes} episodes each; "
        f"{date.today()}, {platform.machine()}, no GPU; `python benchmarks/learning/memory.py`. Mean over seeds (least "
        "to most).",
        "",
        "| problem | algorithm | `--memory` | return to an agent | steps a processor second |",
        "|---|---|---:|---:|---:|",
    ]
    print("\n".join(lines), flush=True)
    for problem in options.only:
        shown = f"{problem} ({', '.join(f'{name} {value}' for name, value in HIDDEN[problem].items())})"
        for algorithm in options.algorithms:
            for memory in (0, options.memory):
                found = [run(options, problem, algorithm, memory, seed) for seed in range(options.seeds)]
                speed, worth = zip(*found, strict=True)
                cell = f"{statistics.mean(worth):.3f} ({min(worth):.3f} to {max(worth):.3f})"
                lines.append(f"| {shown} | {algorithm} | {memory} | {cell} | {statistics.mean(speed):,.0f} |")
                print(lines[-1], flush=True)
    if options.out is not None:
        options.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(tyro.cli(Options))
