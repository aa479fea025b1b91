"""Trained on at most 15 nodes, tested on up to 1,000: quality and time against size, for each encoder."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
from rich.console import Console

from graphwright.drawing.experiments import Line, Panel, draw_panels
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER
from graphwright.experiments.architectures import NAMES, corrected_config
from graphwright.experiments.experiment import ExperimentOptions, mean_random, test_instances
from graphwright.experiments.report import Cell, Report
from graphwright.experiments.runs import Job, train_all
from graphwright.training.statistics import stratified_interval

_TESTS = {20: 200, 50: 100, 100: 100, 200: 50, 500: 20, 1000: 10}
_STEPS = 200_000
_KINDS = {**NAMES, "gin": "GIN"}


def reproduce(options: ExperimentOptions, console: Console) -> Report:
    """Ratio to the optimum and seconds a graph, a row for each encoder and size."""
    steps = options.count(_STEPS)
    jobs = [
        Job(name, "vertex-cover", corrected_config(kind, seed, steps))
        for kind, name in _KINDS.items()
        for seed in range(options.seeds)
    ]
    trained = train_all(jobs, options.out / "sizes", options.workers, console)
    environment = VERTEX_COVER.optimization
    assert VERTEX_COVER.solve_exactly is not None
    rows: list[list[Cell]] = []
    ratios: dict[str, list[float]] = {}
    seconds: dict[str, list[float]] = {}
    for size, graphs in _TESTS.items():
        instances = test_instances(VERTEX_COVER, size, options.count(graphs))
        optimum = float(VERTEX_COVER.solve_exactly(environment, instances, 30.0).objective.mean())
        greedy = float(environment.objective(VERTEX_COVER.heuristics["greedy"](environment, instances)).mean())
        rows.append(
            ["random choice", size, instances.num_graphs, mean_random(environment, instances) / optimum, "", ""]
        )
        rows.append(["greedy", size, instances.num_graphs, greedy / optimum, "", ""])
        ratios.setdefault("greedy", []).append(greedy / optimum)
        for name in _KINDS.values():
            scores, times = [], []
            for run in (run for run in trained if run.job.label == name):
                start = time.perf_counter()
                states = run.agent.solve(instances)
                times.append((time.perf_counter() - start) / instances.num_graphs)
                scores.append([float(environment.objective(states).mean()) / optimum])
            interval, duration = stratified_interval(np.array(scores)), float(np.median(times))
            ratios.setdefault(name, []).append(interval.value)
            seconds.setdefault(name, []).append(duration)
            span = interval.span()
            rows.append([name, size, instances.num_graphs, interval.value, span, f"{duration:.4f}"])

    panels = [
        Panel({name: Line(list(_TESTS), values) for name, values in table.items()}, "nodes", label, logarithmic=scales)
        for table, label, scales in ((ratios, "cost over optimum", "x"), (seconds, "seconds a graph", "xy"))
    ]

    return Report(
        "Sizes: trained on 5, 10 and 15 nodes, tested on up to 1,000",
        [
            f"Weighted vertex cover on Watts-Strogatz graphs, settings of `architectures --mode corrected` with "
            f"{steps:,} steps, {options.seeds} seeds; interquartile mean over seeds of mean cost over mean optimum "
            "(proven), greedy decoding. Seconds: of a whole solution, graphs solved in one batch on one process."
        ],
        ["encoder", "nodes", "graphs", "over optimum", "95 % interval", "seconds a graph"],
        rows,
        partial(draw_panels, panels=panels),
    )
