"""Masking illegal actions against punishing them, on weighted vertex cover with GraphSAGE.

With penalties an illegal action (a node that covers nothing new) changes nothing and is rewarded with −1; an episode
of a graph with n nodes ends after n of them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from graphwright.core.files import write_atomically
from graphwright.drawing.experiments import Line, Panel, draw_panels
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER
from graphwright.experiments.architectures import corrected_config
from graphwright.experiments.experiment import ExperimentOptions, mean_random, test_instances
from graphwright.experiments.report import Cell, Report
from graphwright.experiments.runs import side_by_side
from graphwright.training.collectors.play import InvalidConfig
from graphwright.training.collectors.steps import StepsConfig
from graphwright.training.config import TrainConfig, use_threads
from graphwright.training.decode import Decoding, decode
from graphwright.training.statistics import stratified_interval
from graphwright.training.training_run import TrainingRun
from graphwright.training.validation import ValidationConfig

_SIZE, _GRAPHS, _STEPS, _POINTS = 15, 200, 100_000, 12
_LABELS = {"mask": "masked", "penalty": "penalty −1"}
_DECODINGS: tuple[Decoding, ...] = ("greedy", "sample")

Curve = dict[str, list[float]]


def reproduce(options: ExperimentOptions, console: Console) -> Report:
    """Curves of the validation return, and where they end."""
    folder = options.out / "masking"
    folder.mkdir(parents=True, exist_ok=True)
    configs = {
        (handling, seed): replace(
            corrected_config("sage", seed, options.count(_STEPS)),
            collection=StepsConfig(invalid=InvalidConfig(handling=handling)),
            validation=ValidationConfig(sizes=(_SIZE,), graphs=1),  # nothing is chosen by it
        )
        for handling in ("mask", "penalty")
        for seed in range(options.seeds)
    }
    paths = [folder / f"{handling}-{seed}.json" for handling, seed in configs]
    graphs = options.count(_GRAPHS)
    missing = [
        (config, path, graphs) for config, path in zip(configs.values(), paths, strict=True) if not path.exists()
    ]
    for path in side_by_side(_learn, missing, options.workers):
        console.print(f"{path.stem} is done")
    curves = {key: json.loads(path.read_text()) for key, path in zip(configs, paths, strict=True)}
    return _report(options, curves)


def _learn(config: TrainConfig, path: Path, graphs: int) -> Path:
    """In a process of its own: the mean return on the validation graphs, greedily and drawn, as training goes on."""
    use_threads(1)
    config = config.completed(VERTEX_COVER)
    assert config.steps is not None
    run = TrainingRun(VERTEX_COVER, replace(config, threads=1), path.with_suffix(""))
    instances = test_instances(VERTEX_COVER, _SIZE, graphs)
    curve: Curve = {name: [] for name in ("steps", *_DECODINGS, *(f"{name} complete" for name in _DECODINGS))}
    for point in range(_POINTS + 1):
        while run.counters.steps < config.steps * point / _POINTS:
            run.iterate()
        curve["steps"].append(run.counters.steps)
        for method in _DECODINGS:
            draws = torch.Generator().manual_seed(0)
            states = decode(run.agent().policy, config.played, instances, method, generator=draws)
            curve[method].append(-float(config.played.objective(states).mean()))
            curve[f"{method} complete"].append(float(config.played.is_complete(states).double().mean()))
    write_atomically(path, json.dumps(curve).encode())
    return path


def _report(options: ExperimentOptions, curves: dict[tuple[str, int], Curve]) -> Report:
    environment = VERTEX_COVER.optimization
    instances = test_instances(VERTEX_COVER, _SIZE, options.count(_GRAPHS))
    assert VERTEX_COVER.solve_exactly is not None
    optimum = -float(VERTEX_COVER.solve_exactly(environment, instances, 10.0).objective.mean())
    greedy = -float(environment.objective(VERTEX_COVER.heuristics["greedy"](environment, instances)).mean())
    rows: list[list[Cell]] = [
        ["random choice, masked", "", -mean_random(environment, instances), "", 1.0],
        ["greedy", "", greedy, "", 1.0],
        ["optimum (proven)", "", optimum, "", 1.0],
    ]
    lines = {}
    for handling, label in _LABELS.items():
        some = [curve for (other, _), curve in curves.items() if other == handling]
        steps = np.mean([curve["steps"] for curve in some], axis=0).tolist()
        for method in _DECODINGS:
            points = [stratified_interval(np.array([[curve[method][k]] for curve in some])) for k in range(len(steps))]
            value, low, high = ([getattr(point, name) for point in points] for name in ("value", "low", "high"))
            lines[f"{label}, {method}"] = Line(steps, value, low, high)
            complete = float(np.mean([curve[f"{method} complete"][-1] for curve in some]))
            last = points[-1]
            rows.append([label, method, last.value, last.span(3), complete])

    levels = {"optimum": optimum, "greedy": greedy}
    panel = Panel(lines, "environment steps", f"return, n = {_SIZE}", levels, marker=None)

    return Report(
        f"Masking against penalties: return on graphs of {_SIZE} nodes",
        [
            f"GraphSAGE, settings of `architectures --mode corrected`, {options.seeds} seeds, "
            f"{options.count(_STEPS):,} steps; {instances.num_graphs} validation graphs. Penalty: an illegal node is "
            "rewarded with −1 and the episode is cut after n of them, which a cover that is then not complete pays. "
            "Interquartile mean over seeds, 95 % stratified bootstrap interval."
        ],
        ["policy", "decoding", "return", "95 % interval", "complete"],
        rows,
        partial(draw_panels, panels=[panel]),
    )
