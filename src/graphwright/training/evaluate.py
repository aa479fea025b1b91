"""Evaluation: a policy beside random, greedy and optimum, on instances that it has never seen."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.episodes import play
from graphwright.envs.problem import random_choice
from graphwright.training.agent import Agent
from graphwright.training.config import ConfigError, make_generator
from graphwright.training.decode import Decoding
from graphwright.training.statistics import bootstrap_ratio


@dataclass(frozen=True)
class EvaluationRow:
    """Mean costs over the graphs of one size.

    optimum: the exact solver's proven lower bound, which is the optimum where proven = graphs. proven: how many of the
    optima are proven. ratio: policy / optimum with its 95 % bootstrap interval over graphs. seconds: the policy's time
    for all graphs.
    """

    size: int
    graphs: int
    policy: float
    random: float
    greedy: float
    optimum: float
    proven: int
    ratio: float
    ratio_low: float
    ratio_high: float
    seconds: float


@dataclass(frozen=True)
class EvaluationOptions:
    """What to evaluate on."""

    sizes: tuple[int, ...]
    """Numbers of nodes, one row each."""
    graphs: int = 100
    """Graphs of each size."""
    seed: int = 1
    """Seed of the graphs and of sampled decoding."""
    decode: Decoding = "greedy"
    """greedy takes the likeliest action, sample draws, best-of keeps the cheapest of --samples draws."""
    samples: int = 16
    """Solutions of each graph for best-of."""
    generator: str | None = None
    """Random graphs as in watts-strogatz:k=4,p=0.3; by default those of the run."""
    time_limit: float = 10.0
    """Seconds for the exact solver, each graph."""

    def __post_init__(self) -> None:
        """Raise ConfigError, naming the option."""
        for name in ("graphs", "samples"):
            if getattr(self, name) < 1:
                raise ConfigError(f"--{name} {getattr(self, name)}: give at least 1")
        if not self.sizes:
            raise ConfigError("--sizes: give at least one number of nodes")
        if not self.time_limit > 0:
            raise ConfigError(f"--time-limit {self.time_limit}: give a positive number of seconds")


def evaluate(agent: Agent, options: EvaluationOptions) -> list[EvaluationRow]:
    """One row for each size. Raises ConfigError where the options make no graphs."""
    topology = options.generator or agent.config.generator
    generators = [make_generator(topology, (size,), agent.config.weights) for size in options.sizes]
    rows = []
    for size, generator in zip(options.sizes, generators, strict=True):
        instances = generator(options.graphs, torch.Generator().manual_seed(options.seed))
        rows.append(_row(agent, options, size, instances))
    return rows


def _row(agent: Agent, options: EvaluationOptions, size: int, instances: GraphBatch) -> EvaluationRow:
    environment = agent.config.environment
    start = time.perf_counter()
    solutions = agent.solve(instances, options.decode, samples=options.samples, seed=options.seed)
    seconds = time.perf_counter() - start
    policy = environment.cost(solutions)
    randomly = random_choice(environment, torch.Generator().manual_seed(options.seed))
    optimum = agent.problem.solve_exactly(instances, options.time_limit)
    ratio = bootstrap_ratio(policy, optimum.lower_bound)
    return EvaluationRow(
        size=size,
        graphs=options.graphs,
        policy=_mean(policy),
        random=_mean(environment.cost(play(environment, instances, randomly))),
        greedy=_mean(agent.problem.heuristics["greedy"](environment, instances)),
        optimum=_mean(optimum.lower_bound),
        proven=int(optimum.proven.sum()),
        ratio=ratio.mean,
        ratio_low=ratio.low,
        ratio_high=ratio.high,
        seconds=seconds,
    )


def _mean(costs: Tensor) -> float:
    return float(costs.double().mean())
