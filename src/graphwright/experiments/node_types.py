"""Robots and tasks as nodes of two types: weights for each type against one set for all, and types as columns."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from rich.console import Console

from graphwright.core import GraphBatch
from graphwright.drawing.experiments import Panel, draw_intervals
from graphwright.experiments.curves import learning_curves
from graphwright.experiments.experiment import ExperimentOptions, mean_random
from graphwright.experiments.report import Cell, Report
from graphwright.experiments.runs import Job, train_all
from graphwright.experiments.task_allocation import TASK_ALLOCATION, TaskAllocation
from graphwright.nn import EncoderConfig
from graphwright.training.config import TrainConfig
from graphwright.training.statistics import stratified_interval

_ENCODERS = {
    "weights a type": (EncoderConfig("relational"), True),
    "the same, one type": (EncoderConfig("relational"), False),
    "types as columns": (EncoderConfig("gin"), True),
    "the same, no types": (EncoderConfig("gin"), False),
}
_STEPS = 60_000
_TESTS = {12: 200, 48: 40}
"""Nodes → graphs: 3 robots with 9 tasks, as in training, and 12 with 36."""


def reproduce(options: ExperimentOptions, console: Console) -> Report:
    """When the last task is done, beside random, earliest-first and, where it can be found, the optimum."""
    steps = options.count(_STEPS)
    jobs = [
        Job(
            label,
            "graphwright.experiments.task_allocation:TASK_ALLOCATION",
            TrainConfig.for_problem(
                TASK_ALLOCATION, environment=TaskAllocation(types), encoder=vars(encoder), steps=steps, seed=seed
            ),
        )
        for label, (encoder, types) in _ENCODERS.items()
        for seed in range(options.seeds)
    ]
    trained = train_all(jobs, options.out / "node-types", options.workers, console)
    panel = Panel(learning_curves(trained, "return"), "environment steps", "return in training", marker=None)
    rows: list[list[Cell]] = []
    drawn: dict[str, tuple[float, float, float]] = {}
    references: dict[str, float] = {}
    for size, graphs in _TESTS.items():
        count = options.count(graphs)
        instances = TASK_ALLOCATION.generator(sizes=(size,))(count, torch.Generator().manual_seed(10_000 + size))
        baselines, best = _baselines(instances)
        rows += [[name, size, count, time, time / best, "", ""] for name, time in baselines.items()]
        if "optimum" in baselines:  # random would be far to the right of all others
            references = {name: baselines[name] / best for name in ("earliest first", "optimum")}
        for label in _ENCODERS:
            runs = [run for run in trained if run.job.label == label]
            times = np.array([[_time(run.agent.solve(instances))] for run in runs])
            interval, ratio = stratified_interval(times), stratified_interval(times / best)
            seconds = sum(run.seconds for run in runs) / len(runs)
            rows.append([label, size, count, interval.value, ratio.value, ratio.span(), f"{seconds:.0f}"])
            if "optimum" in baselines:
                drawn[label] = ratio.value, ratio.low, ratio.high

    return Report(
        "Robots and tasks: weights for each type of node against one type",
        [
            f"Task allocation (`experiments/task_allocation.py`), trained with {steps:,} steps of PPO on 2 to 3 robots "
            f"with 6 to 9 tasks, {options.seeds} seeds, three rounds of width 64; most probable choices. Ratio: over "
            "the optimum, by dynamic programming, at 12 nodes, and over earliest-first at 48. Interquartile mean over "
            "seeds with its 95 % interval. Seconds are CPU seconds of a run.",
            "Weights a type: relational rounds with a weight matrix for each type of edge (robot to task, task to "
            "robot, task to task), and types of nodes as embeddings. One type: the same rounds with one matrix, types "
            "hidden. Types as columns: gin, which reads edge columns, with one-hot types; and without them. What else "
            "is seen is the same; a task has no speed but 1 and no time when it is free, so that types can be guessed.",
        ],
        ["policy", "nodes", "graphs", "time", "ratio", "95 % interval", "CPU s"],
        rows,
        partial(
            draw_intervals,
            intervals=drawn,
            references=references,
            xlabel=f"time over the optimum at {min(_TESTS)} nodes",
            panels=(panel,),
        ),
    )


def _baselines(instances: GraphBatch) -> tuple[dict[str, float], float]:
    """Name → mean time, and the one that ratios are over."""
    environment = TASK_ALLOCATION.optimization
    found = {
        "random": mean_random(environment, instances),
        "earliest first": _time(TASK_ALLOCATION.heuristics["earliest"](environment, instances)),
    }
    assert TASK_ALLOCATION.solve_exactly is not None
    optimum = TASK_ALLOCATION.solve_exactly(environment, instances, 10.0)
    if not bool(optimum.proven.all()):
        return found, found["earliest first"]
    found["optimum"] = float(optimum.objective.mean())
    return found, found["optimum"]


def _time(states: GraphBatch) -> float:
    return float(TASK_ALLOCATION.optimization.objective(states).mean())
