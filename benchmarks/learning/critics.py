"""Pooled beside concatenated critics where the optimum is known: teams of spins, tested at twice their size.

    python benchmarks/learning/critics.py [--seeds 5] [--updates 40]

The spins of `tests/decision_environments.py`: six nodes share the energy of what each of them chooses, once. Every
algorithm takes as many environment steps and acts with the same graph network; what differs is what critic or mixer
read. A score is the share of the way from random choice to the optimum that enumeration gives, on 100 instances.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import torch
import tyro

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from decision_environments import Spins, greedy, optimum, spin_instances
from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.registry import find_algorithm
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.problem import random_choice
from graphwright.envs.rollouts import Choose, play
from graphwright.envs.vector import VectorEnvironment
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.training.collectors.replay import ExploringReplayConfig, ReplayConfig
from graphwright.training.collectors.replay_collector import ReplayCollector
from graphwright.training.collectors.steps import StepCollector

AGENTS = 6
ENCODER, HEADS = EncoderConfig(kind="gin", width=16, depth=3), HeadsConfig()
PLACES = {"inputs": "concatenated", "max_agents": AGENTS}
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "qmix, pooled": ("qmix", {}),
    "qmix, concatenated": ("qmix", PLACES),
    "qmix, shared": ("qmix", {"shared": True}),
    "qmix, pooled, Munchausen": ("qmix", {"munchausen": 0.9}),
    "central-v, pooled": ("central-v", {}),
    "central-v, concatenated": ("central-v", PLACES),
    "coma, pooled": ("coma", {}),
    "coma, concatenated": ("coma", PLACES),
    "maddpg, pooled": ("maddpg", {}),
    "maddpg, concatenated, a head a place": ("maddpg", {**PLACES, "own_heads": True}),
    "vdn": ("vdn", {}),
    "iql": ("iql", {}),
    "iac": ("iac", {}),
    "mappo, pooled": ("mappo", {}),
}
"""Row of the table → algorithm and settings."""


@dataclass(frozen=True)
class Options:
    """What is run."""

    seeds: int = 5
    """Runs of each."""
    updates: int = 40
    """Updates of each run, of 512 environment steps."""
    learning_rate: float = 5e-3
    """Of all."""
    only: tuple[str, ...] = ()
    """Words; only rows that begin with one of them."""
    tested: int = 100
    """Instances of each test."""


class Test:
    """Instances of one size, with what random choice and the optimum come to."""

    def __init__(self, environment: Spins, agents: int, count: int) -> None:
        self.environment = environment
        self.instances = environment.instance(spin_instances(count, torch.Generator().manual_seed(1000), agents))
        self.best = self.total(None)
        self.random = self.total(random_choice(environment, torch.Generator().manual_seed(0)))

    def total(self, choose: Choose | None) -> float:
        """Σ objective of what `choose` does; None: of the optimum."""
        if choose is None:
            return float(optimum(self.environment, self.instances).sum())
        return float(self.environment.objective(play(self.environment, self.instances, choose)).sum())

    def score(self, choose: Choose) -> float:
        """Share of the way from random choice to the optimum."""
        return (self.total(choose) - self.random) / (self.best - self.random)


def collector_of(algorithm: str, environment: Spins, seed: int, generator: torch.Generator) -> Any:
    """512 steps for each update, whatever is fed by them."""
    source = GeneratedInstances(partial(spin_instances, nodes=AGENTS), seed)
    kind = find_algorithm(algorithm).collector
    if kind == "steps":
        return StepCollector(VectorEnvironment(environment, source, 128), 4, generator, source)
    make = ExploringReplayConfig if kind == "exploring-replay" else ReplayConfig
    config = make(num_envs=128, num_steps=4, warm_up=512, capacity=8192, num_minibatches=8, minibatch_size=128)
    return ReplayCollector(VectorEnvironment(environment, source, 128), config, 1, generator, source)


def train(options: Options, row: str, seed: int, tests: list[Test]) -> tuple[list[float], int]:
    """The score on each test in the end, and the updates after which the first was at 90 % of its best."""
    algorithm, settings = ROWS[row]
    environment = Spins()
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    found = find_algorithm(algorithm).load()
    parts = environment.features, environment.actions, environment, ENCODER, HEADS, generator
    learner = found.build(found.Config(learning_rate=options.learning_rate, **settings), Setup(algorithm, *parts))
    collector = collector_of(algorithm, environment, seed, generator)
    curve = []
    for update in range(options.updates):
        learner.update(collector.collect(learner.policy).batch, update / options.updates)
        curve.append(tests[0].score(learner.policy.best))
    enough = max(curve) - 0.1 * abs(max(curve))  # a score is below 0 where random choice is better
    quick = next(number for number, score in enumerate(curve, 1) if score >= enough)
    return [test.score(learner.policy.best) for test in tests], quick


def main(options: Options) -> None:
    """Print a table."""
    tests = [Test(Spins(), agents, options.tested) for agents in (AGENTS, 2 * AGENTS)]
    simple = [test.score(lambda seen: greedy(Spins(), seen)) for test in tests]
    print(f"| trained with {AGENTS} agents | {AGENTS} agents | {2 * AGENTS} agents | updates to 90 % | seconds a run |")
    print("|---|---:|---:|---:|---:|")
    print(f"| *each for itself* | {simple[0]:.3f} | {simple[1]:.3f} | | |")
    for row in ROWS:
        if options.only and not row.startswith(options.only):
            continue
        start = time.perf_counter()
        runs = [train(options, row, seed, tests) for seed in range(options.seeds)]
        seconds = (time.perf_counter() - start) / options.seeds
        cells = []
        for place in (0, 1):
            scores = [scores[place] for scores, _ in runs]
            cells.append(f"{mean(scores):.3f} ({min(scores):.3f} to {max(scores):.3f})")
        print(
            f"| {row} | {cells[0]} | {cells[1]} | {mean(quick for _, quick in runs):.0f} | {seconds:.0f} |", flush=True
        )


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
