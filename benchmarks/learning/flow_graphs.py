"""Flow networks on graphs of 200 to 300 nodes: how large the sets and cuts are that a sampler draws.

    python benchmarks/learning/flow_graphs.py [--seeds 5] [--seconds 120] [--out docs/tables]

Each run is one thread, two runs side by side; it learns on graphs of 20 to 60 nodes. Afterwards 20 objects are drawn
on each of ten graphs of Model RB that no run has seen; beside them as many by uniform random choice, the heuristics
of the problem, and the best that its exact solver finds in --solver-seconds a graph. Finished runs in --runs are used
again.
"""

from __future__ import annotations

import json
import platform
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
import tyro
from rich.console import Console
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.registry import find_problem
from graphwright.envs.rollouts import uniform_choice
from graphwright.training.config import TrainConfig
from graphwright.training.gflownet.conditions import Goal
from graphwright.training.gflownet.sampler import NO_EXPLORATION, Sampler
from graphwright.training.gflownet.sampling import Choose, sample_forward
from graphwright.training.statistics import stratified_interval
from graphwright.training.train import train

TASKS = ("independent-set", "max-cut")
"""What is measured is their objective: nodes of the set, edges of the cut, since all weights are 1."""


@dataclass(frozen=True)
class Options:
    """What to run."""

    seeds: int = 5
    """Runs of each task."""
    seconds: float = 120
    """Of training."""
    solver_seconds: float = 30
    """Of the exact solver, for each graph."""
    graphs: int = 10
    """Graphs to draw on."""
    draws: int = 20
    """Objects on each graph."""
    workers: int = 2
    """Runs side by side."""
    runs: Path = Path("runs/flow-graphs")
    """Where the runs are."""
    only: tuple[str, ...] = TASKS
    """Tasks."""
    out: Path | None = None
    """Folder for the table, as flow-graphs.md."""


def fixed_graphs(task: str, count: int) -> GraphBatch:
    """The graphs to evaluate on, the same for all tasks."""
    problem, generator = find_problem(task), torch.Generator().manual_seed(2023)
    return problem.sampled.instances(problem.builder, count, generator)


def draw(config: TrainConfig, task: str, choose: Choose, options: Options) -> Tensor:
    """[graphs, draws]: sizes of the objects that `choose` builds."""
    generator, graphs, sizes = torch.Generator().manual_seed(1), fixed_graphs(task, options.graphs), []
    for graph in range(options.graphs):
        instances = graphs.select(torch.full((options.draws,), graph))
        condition, num_measures = config.collection.condition, config.collection.reward.num_measures
        conditions = condition.goals(options.draws, num_measures, generator, Goal())
        objects = sample_forward(config.environment, condition.attach(instances, conditions), choose).objects
        sizes.append(config.environment.objective(objects))
    return torch.stack(sizes)


def run(task: str, seed: int, options: Options) -> list[float]:
    """In a process of its own: train and draw; the mean size, and the mean over graphs of the largest."""
    name = f"{task}-{options.seconds:g}s-{seed}"
    done = options.runs / f"{name}.json"
    if done.exists():
        return list(json.loads(done.read_text()))
    shutil.rmtree(options.runs / name, ignore_errors=True)  # of a run that was broken off
    config = TrainConfig.for_problem(task, "vargrad", seconds=options.seconds, seed=seed, threads=1)
    agent = train(task, config, options.runs / name, Console(quiet=True)).agent()
    sampler = Sampler(config.environment, agent.policy, NO_EXPLORATION, torch.Generator().manual_seed(1))
    found = summary(draw(config, task, sampler.forward, options))
    done.write_text(json.dumps(found))
    return found


def baselines(task: str, options: Options) -> dict[str, list[float]]:
    """Uniform random choice, the heuristics of the problem, and the best known."""
    config, problem = TrainConfig.for_problem(task, "vargrad"), find_problem(task)
    random = draw(config, task, uniform_choice(config.environment.actions, torch.Generator().manual_seed(1)), options)
    instances = fixed_graphs(task, options.graphs)
    environment, simple = problem.environment, problem.heuristics.items()
    by_rule = {name: [float(environment.objective(rule(environment, instances)).mean())] for name, rule in simple}
    assert problem.solve_exactly is not None
    best = problem.solve_exactly(problem.environment, instances, options.solver_seconds)
    label = f"best of the exact solver ({int(best.proven.sum())} of {options.graphs} proven)"
    return {"random": summary(random), **by_rule, label: [float(best.objective.mean())]}


def summary(sizes: Tensor) -> list[float]:
    """The mean of sizes [graphs, draws], and the mean over graphs of the largest."""
    return [float(sizes.mean()), float(sizes.max(1).values.mean())]


def main(options: Options) -> None:
    options.runs.mkdir(parents=True, exist_ok=True)
    jobs = [(task, seed) for task in options.only for seed in range(options.seeds)]
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        found = list(pool.map(run, *zip(*jobs, strict=True), [options] * len(jobs)))
    results = dict(zip(jobs, found, strict=True))
    lines = [
        f"After {options.seconds:g} s of training on one of two cores, {options.seeds} seeds; {date.today()}, "
        f"{platform.machine()}, torch {torch.__version__}. {options.draws} objects on each of {options.graphs} "
        "graphs; interquartile mean over seeds with its 95 % bootstrap interval.",
        "",
        f"| task | | mean size | best of {options.draws} |",
        "|---|---|---:|---:|",
    ]
    for task in options.only:
        scores = np.array([results[task, seed] for seed in range(options.seeds)])
        trained = [stratified_interval(column[:, None]) for column in scores.T]
        cells = " | ".join(interval.text(2) for interval in trained)
        lines.append(f"| {task} | trained | {cells} |")
        for name, values in baselines(task, options).items():
            both = [f"{value:,.2f}" for value in values]
            lines.append(f"| {task} | {name} | {' | '.join([*both, ''][:2])} |")
    table = "\n".join(lines) + "\n"
    print(table)
    if options.out is not None:
        (options.out / "flow-graphs.md").write_text(table)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
