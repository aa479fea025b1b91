"""The node-selection study of 2017: cover, cut and tour, trained on 15 to 20 nodes, tested on up to 1,200.

Khalil, Dai, Zhang, Dilkina & Song 2017, "Learning combinatorial optimization algorithms over graphs". Its figures, as
remembered from the paper and not checked against it: approximation ratio where trained and at 1,000 to 1,200 nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from rich.console import Console

from graphwright.core import GraphBatch
from graphwright.drawing.experiments import Line, Panel, draw_panels
from graphwright.envs.problem import Problem, random_choice
from graphwright.envs.registry import find_problem
from graphwright.envs.rollouts import play
from graphwright.experiments.experiment import ExperimentOptions
from graphwright.experiments.report import Cell, Report
from graphwright.experiments.runs import Job, Trained, train_all
from graphwright.training.config import TrainConfig
from graphwright.training.statistics import stratified_interval

_TRAINED_ON = tuple(range(15, 21))
_TESTS = {"15–20": (17, 100), "40–50": (45, 50), "50–100": (75, 20), "100–200": (150, 10), "400–500": (450, 3)}
_LARGEST = {"1,000–1,200": (1100, 2)}
_SECONDS, _SECONDS_TO_SOLVE = 120.0, 10.0


@dataclass(frozen=True)
class Variant:
    """A problem on a law of graphs; published: the ratios of the study, where they are remembered."""

    problem: str
    topology: str
    law: str
    published: str = ""

    @property
    def label(self) -> str:
        """As in the table."""
        return f"{self.problem} {self.topology.split(':')[0]}"


SETTINGS = (
    Variant("vertex-cover", "barabasi-albert:m=4", "one", "1.0033 → 1.0062"),
    Variant("vertex-cover", "erdos-renyi:p=0.15", "one"),
    Variant("max-cut", "barabasi-albert:m=4", "uniform", "1.0150 → 1.0038"),
    Variant("max-cut", "erdos-renyi:p=0.15", "uniform"),
    Variant("tour", "points", "nearest", "1.073 → 1.107"),
)


def reproduce(options: ExperimentOptions, console: Console) -> Report:
    """The ratio to the best known solution, a row for each setting and size."""
    jobs = [
        Job(setting.label, setting.problem, _config(setting, seed, _SECONDS * options.scale))
        for setting in SETTINGS
        for seed in range(options.seeds)
    ]
    trained = train_all(jobs, options.out / "s2v", options.workers, console)
    rows: list[list[Cell]] = []
    curves: dict[str, list[float]] = {}
    for setting in SETTINGS:
        runs = [run for run in trained if run.job.label == setting.label]
        for name, (size, graphs) in (_TESTS | _LARGEST).items():
            problem = find_problem(setting.problem)
            generator = problem.generator(setting.topology, (size,), setting.law)
            instances = generator(options.count(graphs), torch.Generator().manual_seed(10_000 + size))
            rows.append([setting.problem, setting.topology, name, *_row(problem, instances, runs)])
            curves.setdefault(setting.label, []).append(float(rows[-1][-2]))

    lines = {label: Line(range(len(values)), values) for label, values in curves.items()}
    panel = Panel(lines, "nodes", "ratio to the best known", ticks=list(_TESTS | _LARGEST))

    published = "; ".join(f"{setting.label} {setting.published}" for setting in SETTINGS if setting.published)
    return Report(
        "Node selection: cover, cut and tour, trained on 15 to 20 nodes",
        [
            f"{options.seeds} seeds, {_SECONDS * options.scale:g} s of training each with the problem's own defaults; "
            "one size out of each range of the study. Ratio: how many times worse than the best known solution (the "
            f"solver's best in {_SECONDS_TO_SOLVE:g} s a graph, proven optimal where the column says so), "
            "interquartile mean over seeds with its 95 % stratified bootstrap interval, greedy decoding.",
            f"Published (as remembered; where trained → at 1,000 to 1,200 nodes): {published}.",
        ],
        ["problem", "graphs", "nodes", "tested", "proven", "random", "heuristic", "ratio", "95 % interval"],
        rows,
        partial(draw_panels, panels=[panel]),
    )


def _config(setting: Variant, seed: int, seconds: float) -> TrainConfig:
    return TrainConfig.for_problem(
        setting.problem,
        collection={"generator": setting.topology, "sizes": _TRAINED_ON, "law": setting.law},
        seed=seed,
        seconds=seconds,
    )


def _row(problem: Problem, instances: GraphBatch, runs: list[Trained]) -> list[Cell]:
    """Graphs, proven optima, and the ratios of random choice, the first heuristic and the policies."""
    environment = problem.optimization
    assert problem.solve_exactly is not None
    optimum = problem.solve_exactly(environment, instances, _SECONDS_TO_SOLVE)
    best = float(optimum.objective.mean())

    def ratio(states: GraphBatch) -> float:
        mean = float(environment.objective(states).mean())
        return best / mean if environment.maximise else mean / best

    randomly = ratio(play(environment, instances, random_choice(environment, torch.Generator().manual_seed(0))))
    heuristic = ratio(next(iter(problem.heuristics.values()))(environment, instances))
    interval = stratified_interval(np.array([[ratio(run.agent.solve(instances))] for run in runs]))
    span = interval.span()
    return [instances.num_graphs, int(optimum.proven.sum()), randomly, heuristic, interval.value, span]
