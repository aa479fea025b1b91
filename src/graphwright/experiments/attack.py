"""An attack on graph classifiers: which edges to change so that one errs, learned from its answers alone.

Dai et al. (2018), "Adversarial attack on graph structured data": a classifier that tells graphs of one, two and three
components apart, changes that leave the components as they are, pairs drawn in two stages, source then destination.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.drawing.experiments import Line, Panel, draw_panels
from graphwright.envs.problem import random_choice
from graphwright.envs.rollouts import play
from graphwright.experiments.components import (
    draw_graphs,
    load_classifier,
    number_of_pieces,
    save_classifier,
    train_classifier,
)
from graphwright.experiments.curves import learning_curves
from graphwright.experiments.edge_attack import EDGE_ATTACK, EdgeAttack, best_of_all, candidates, harmless
from graphwright.experiments.experiment import ExperimentOptions
from graphwright.experiments.report import Cell, Report
from graphwright.experiments.runs import Job, Trained, train_all
from graphwright.training.config import TrainConfig
from graphwright.training.statistics import Interval, stratified_interval

_CLASSIFIED = (12, 15, 18, 24, 30)
_LESSONS, _BUDGET, _STEPS = 600, 2, 40_000
_TESTS = {18: (100, True), 30: (100, False)}
"""Nodes → graphs, and whether all attacks on them are tried."""


def reproduce(options: ExperimentOptions, console: Console) -> Report:
    """How often each attacker makes the classifier err, on graphs that it tells rightly."""
    folder = options.out / "attack"
    jobs = []
    for seed in range(options.seeds):
        environment = EdgeAttack(str(_classifier(folder, seed, options.count(_LESSONS))), _BUDGET)
        steps = options.count(_STEPS)
        config = TrainConfig.for_problem(EDGE_ATTACK, environment=environment, seed=seed, steps=steps)
        jobs.append(Job("policy", "graphwright.experiments.edge_attack:EDGE_ATTACK", config))
    trained = train_all(jobs, folder, options.workers, console)
    rows: list[list[Cell]] = []
    bars: dict[str, list[Interval]] = {}
    accuracy = []
    for size, (graphs, exhaustive) in _TESTS.items():
        found: dict[str, list[float]] = {}
        questions: list[float] = []
        for run in trained:
            environment = run.agent.config.environment
            drawn = draw_graphs((size,), options.count(2 * graphs), torch.Generator().manual_seed(10_000 + size))
            instances, share = _told_rightly(environment, drawn, options.count(graphs))
            accuracy.append(share)
            questions.append(candidates(instances, harmless(instances)).numel() / max(instances.num_graphs, 1))
            for name, margin in _attacks(environment, run, instances, exhaustive).items():
                found.setdefault(name, []).append(float((margin > 0).double().mean()))
        asked = {"random": 0.0, "policy": float(_BUDGET), "greedy": _BUDGET * float(np.mean(questions))}
        for name, shares in found.items():
            interval = stratified_interval(np.array(shares)[:, None])
            bars.setdefault(name, []).append(interval)
            cell: Cell = f"{asked[name]:.0f}" if name in asked else ""
            rows.append([name, size, options.count(graphs), interval.value, interval.span(), cell])

    lines = {
        name: Line(range(len(of)), [each.value for each in of], [each.low for each in of], [each.high for each in of])
        for name, of in bars.items()
    }
    panels = (
        Panel(lines, "", "share of graphs on which the classifier errs", ticks=[f"{size} nodes" for size in _TESTS]),
        Panel(learning_curves(trained, "return"), "environment steps", "return in training", marker=None),
    )
    return Report(
        f"Attacking a graph classifier with {_BUDGET} changes of edges",
        [
            f"{options.seeds} classifiers (four rounds of width 32, {options.count(_LESSONS)} steps of 256 graphs of "
            f"{_CLASSIFIED[0]} to {_CLASSIFIED[-1]} nodes), right on {100 * float(np.mean(accuracy)):.1f} % of fresh "
            f"graphs; each is attacked by a policy of its own, trained with {options.count(_STEPS):,} steps of PPO on "
            "graphs of 12, 15 and 18 nodes with pairs drawn in two stages, decoded greedily. Test graphs are such as "
            "the classifier tells rightly. Changes leave the components as they are. Interquartile mean over "
            "classifiers with its 95 % interval.",
            "Questions: how often the classifier is asked for each graph, once after each change by the policy, once "
            "for each legal change by greedy, which takes the one that raises the margin most. All: every sequence of "
            "changes, which is the optimum.",
        ],
        ["attacker", "nodes", "graphs", "errs", "95 % interval", "questions"],
        rows,
        partial(draw_panels, panels=panels, columns=2),
    )


def _classifier(folder: Path, seed: int, steps: int) -> Path:
    """Where a classifier is, which is trained if it is not there yet."""
    path = folder / f"classifier-{seed}-{steps}.safetensors"
    if not path.exists():
        save_classifier(train_classifier(_CLASSIFIED, steps, seed), path)
    return path


def _told_rightly(environment: EdgeAttack, drawn: GraphBatch, count: int) -> tuple[GraphBatch, float]:
    """The first `count` graphs that the classifier tells rightly, and the share of those that it does."""
    right = load_classifier(environment.classifier)(drawn).argmax(1) + 1 == number_of_pieces(drawn)
    return drawn.select(right.nonzero().squeeze(1)[:count]), float(right.double().mean())


def _attacks(environment: EdgeAttack, run: Trained, instances: GraphBatch, exhaustive: bool) -> dict[str, Tensor]:
    """Attacker → [B] float64, the margin that it reaches."""
    choose = random_choice(environment, torch.Generator().manual_seed(0))
    found = {
        "random": environment.objective(play(environment, instances, choose)),
        "greedy": environment.objective(EDGE_ATTACK.heuristics["greedy"](environment, instances)),
        "policy": environment.objective(run.agent.solve(instances)),
    }
    return found | ({"all": best_of_all(environment, instances)} if exhaustive else {})
