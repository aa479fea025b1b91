"""A graph as the policy of a body, with a critic that is a graph network too, or an MLP.

Wang, Liao, Ba & Fidler (2018), "NerveNet: Learning structured policy with graph neural networks", which compares these
two critics. Bodies: Gymnasium's half-cheetah and walker, step by step as in Gymnasium (`envs/locomotion/walker.py`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import torch
from rich.console import Console
from typing_extensions import override

from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.ppo import PPO, PPOConfig
from graphwright.drawing.experiments import Panel, draw_panels
from graphwright.envs.locomotion.walker import HALF_CHEETAH, WALKER2D
from graphwright.envs.problem import random_choice
from graphwright.envs.rollouts import play
from graphwright.experiments.curves import learning_curves
from graphwright.experiments.experiment import ExperimentOptions
from graphwright.experiments.report import Cell, Report
from graphwright.experiments.runs import Job, train_all
from graphwright.nn.critics import VectorValue
from graphwright.nn.policies import MakeCritic
from graphwright.training.config import TrainConfig
from graphwright.training.statistics import stratified_interval

_BODIES = {"half-cheetah": ("HALF_CHEETAH", HALF_CHEETAH), "walker2d": ("WALKER2D", WALKER2D)}
_STEPS, _TESTED, _WIDTH = 100_000, 25, 64


class VectorCriticPPO(PPO):
    """PPO whose critic is an MLP on all parts of a body side by side, apart from the network that acts."""

    collector = "steps"

    @classmethod
    @override
    def critic_in(cls, config: PPOConfig, setup: Setup) -> MakeCritic:
        return lambda encoder: VectorValue(setup.features, _WIDTH)


_CRITICS = {"graph network": "ppo", "MLP": "graphwright.experiments.nervenet:VectorCriticPPO"}


def body_job(name: str, critic: str, steps: int, seed: int, horizon: int) -> Job:
    """A run of a body with a critic."""
    place, problem = _BODIES[name]
    environment = replace(problem.optimization, horizon=horizon)  # type: ignore[type-var]
    config = TrainConfig.for_problem(problem, _CRITICS[critic], environment=environment, steps=steps, seed=seed)
    return Job(f"{name}, {critic}", f"graphwright.envs.locomotion.walker:{place}", config)


def reproduce(options: ExperimentOptions, console: Console) -> Report:
    """The return over Gymnasium's 1,000 steps of both bodies with both critics, beside random torques and none."""
    steps = options.count(_STEPS)
    horizon = min(1000, options.count(10_000))  # shorter only for a look at whether all is there
    rows: list[list[Cell]] = []
    curves = {}
    for name, (_, problem) in _BODIES.items():
        environment = replace(problem.optimization, horizon=horizon)  # type: ignore[type-var]
        jobs = [body_job(name, critic, steps, seed, horizon) for critic in _CRITICS for seed in range(options.seeds)]
        trained = train_all(jobs, options.out / "nervenet", options.workers, console)
        lines = learning_curves(trained, "return")
        curves[name] = {f"critic: {critic}": lines[f"{name}, {critic}"] for critic in _CRITICS}
        instances = problem.generator()(options.count(_TESTED), torch.Generator().manual_seed(10_000))
        choose = random_choice(environment, torch.Generator().manual_seed(0))
        for label, final in (
            ("random torques", play(environment, instances, choose)),
            ("no torques", problem.heuristics["still"](environment, instances)),
        ):
            length = float(final.graphs["steps_taken"].double().mean())
            rows.append([name, label, float(environment.objective(final).mean()), "", length, ""])
        for critic in _CRITICS:
            runs = [run for run in trained if run.job.label == f"{name}, {critic}"]
            finals = [run.agent.solve(instances) for run in runs]
            returns = np.array([[float(environment.objective(final).mean())] for final in finals])
            interval = stratified_interval(returns)
            length = float(np.mean([float(final.graphs["steps_taken"].double().mean()) for final in finals]))
            seconds = sum(run.seconds for run in runs) / len(runs)
            rows.append([name, f"critic: {critic}", interval.value, interval.span(1), length, f"{seconds:.0f}"])

    panels = [Panel(lines, "environment steps", f"{name}: return", marker=None) for name, lines in curves.items()]
    return Report(
        "Bodies as graphs: the critic a graph network or an MLP",
        [
            f"{steps:,} steps, {options.seeds} seeds; {instances.num_graphs} episodes of at most {horizon:,} steps "
            "from noisy starts, most probable torques; interquartile mean over seeds with its 95 % interval. "
            "Length: steps until the episode ends, which it does early where the walker falls. Seconds are CPU "
            "seconds of a run.",
            "Both: three rounds of width 64 (gin), parts tell which they are, PPO with 16 episodes × 64 steps, eight "
            "passes in minibatches of 128, γ 0.99, λ 0.95. The graph network's critic reads the mean of the parts over "
            "the encoder of the actor; the MLP has two layers of its own on all parts side by side.",
            "Published for 1 to 3 million steps (as remembered): about 5,000 for the cheetah and 3,700 for the walker.",
        ],
        ["body", "policy", "return", "95 % interval", "length", "CPU s"],
        rows,
        partial(draw_panels, panels=panels),
    )
