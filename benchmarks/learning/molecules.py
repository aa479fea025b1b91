"""Molecules from fragments: what samplers of drug-like ones find in ten minutes, beside A2C and random building.

    python benchmarks/learning/molecules.py [--seeds 5] [--seconds 600 | --steps 154432] [--out docs/tables]

Each run is one thread, two runs side by side. Trajectory balance has the task's defaults (for `qed` R¹²⁸ is asked for,
and the best are replayed); each molecule is counted once, and in another row as often as there are ways to put it
together from fragments. A2C looks for the greatest R. After training each builds --num molecules, and random building,
which takes every legal action alike, as many. A mode is a molecule of reward 0.9 or more whose Tanimoto similarity to
all better modes is below 0.5; the modes of a minute are those over the processor time of training and building.
Finished runs in --runs are used again.
"""

from __future__ import annotations

import dataclasses
import json
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from kept_runs import once
from rdkit import Chem, RDLogger
from rich.console import Console

from graphwright.training.config import TrainConfig, changed
from graphwright.training.evaluate import SamplingOptions, evaluate
from graphwright.training.statistics import stratified_interval
from graphwright.training.train import train

ALGORITHMS: dict[str, dict[str, Any]] = {
    "tb": {},
    "tb, every way counted": {"collection": {"count_once": False}},
    "trajectory-a2c": {
        "algorithm": "trajectory-a2c",
        "collection": {"condition": {"low": 1.0}, "sources": {"replay": 0}},
        "settings": {"learning_rate": 1e-3},
    },
}
COLUMNS = {
    "top_reward": ("mean R of the best 100", 4),
    "mean_reward": ("mean R", 4),
    "modes": ("modes", 0),
    "modes_per_minute": ("modes per CPU minute", 1),
    "top_diversity": ("diversity of the best 100", 3),
    "different": ("different", 0),
    "valid": ("valid", 3),
    "cpu_minutes": ("CPU minutes", 1),
}


@dataclass(frozen=True)
class Options:
    """What to run."""

    seeds: int = 5
    """Runs of each."""
    only: tuple[str, ...] = tuple(ALGORITHMS)
    """What is trained: names of rows."""
    seconds: float = 600
    """Of training."""
    steps: int | None = None
    """Trajectories in place of them: the same on a slow or busy machine."""
    num: int = 5000
    """Molecules that are built afterwards."""
    task: str = "qed"
    """Or qed-atoms."""
    workers: int = 2
    """Runs side by side."""
    runs: Path = Path("runs/molecules")
    """Where the runs are."""
    out: Path | None = None
    """Folder for the table, as molecules.md and molecules.json."""


def run(algorithm: str, seed: int, options: Options) -> dict[str, dict[str, float]]:
    """In a process of its own: train, build, evaluate. Rows of the sampler and of random building."""
    end = f"{options.seconds:g}s" if options.steps is None else f"{options.steps}"
    name = f"{options.task}-{algorithm.replace(', ', '-').replace(' ', '-')}-{end}-{options.num}-{seed}"
    return dict(once(options.runs / name, partial(_run, algorithm, seed, options)))


def _run(algorithm: str, seed: int, options: Options, directory: Path) -> dict[str, dict[str, float]]:
    RDLogger.DisableLog("rdApp.*")
    changes = dict(ALGORITHMS[algorithm])
    ends = {"seconds": options.seconds if options.steps is None else None, "steps": options.steps}
    config = TrainConfig.for_problem(options.task, changes.pop("algorithm", None), seed=seed, **ends)
    config = changed(config, {"threads": 1, "validation": {"every": 10**6, "objects": 8, "max_states": 1}})
    start = time.process_time()
    trainer = train(options.task, changed(config, changes), directory, Console(quiet=True))
    agent = trainer.agent()
    export = agent.problem.sampled.export(agent.config.environment, agent.sample(options.num, seed=seed + 1))
    minutes = (time.process_time() - start) / 60
    assert isinstance(export, list)
    evaluation = dataclasses.asdict(evaluate(agent, SamplingOptions(num=options.num, seed=seed + 1)))
    names = [name for name in COLUMNS if name in evaluation]
    return {
        "sampler": {name: float(evaluation[name]) for name in names}
        | {
            "valid": float(np.mean([Chem.MolFromSmiles(smiles) is not None for smiles in export])),
            "modes_per_minute": evaluation["modes"] / minutes,
            "cpu_minutes": minutes,
            "trajectories": float(trainer.counters.steps),
        },
        "random": {name: float(evaluation[f"{name}_random"]) for name in names},
    }


def main(options: Options) -> None:
    options.runs.mkdir(parents=True, exist_ok=True)
    jobs = [(algorithm, seed) for seed in range(options.seeds) for algorithm in options.only]
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        found = list(pool.map(run, *zip(*jobs, strict=True), [options] * len(jobs)))
    results = dict(zip(jobs, found, strict=True))
    rows = {name: [results[name, seed]["sampler"] for seed in range(options.seeds)] for name in options.only}
    rows["random"] = [results[options.only[0], seed]["random"] for seed in range(options.seeds)]
    much = f"{options.seconds / 60:g} minutes of training on one core" if options.steps is None else ""
    lines = [
        f"`{options.task}`: {options.num:,} molecules after {much or f'{options.steps:,} trajectories'}, "
        f"{options.seeds} seeds; {date.today()}, {platform.machine()}, torch {torch.__version__}. Interquartile "
        "mean over seeds, 95 % bootstrap interval in brackets. QED is at most 1; about 0.948 is the best known.",
        "",
        "| | " + " | ".join(label for label, _ in COLUMNS.values()) + " |",
        "|---|" + "---:|" * len(COLUMNS),
    ]
    for name, of_seeds in rows.items():
        columns = [[row[column] for row in of_seeds if column in row] for column in COLUMNS]
        cells = [_cell(values, places) for values, (_, places) in zip(columns, COLUMNS.values(), strict=True)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    table = "\n".join(lines) + "\n"
    print(table)
    if options.out is not None:
        (options.out / "molecules.md").write_text(table)
        every = {f"{algorithm} {seed}": row for (algorithm, seed), row in results.items()}
        (options.out / "molecules.json").write_text(json.dumps(every, indent=1))


def _cell(values: list[float], places: int) -> str:
    if not values:
        return ""
    return stratified_interval(np.array(values)[:, None]).text(places)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
