"""Evaluation of solutions: a policy beside random choice, heuristics and the optimum, on instances new to it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.doing import now
from graphwright.core.numbers import require
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import random_choice
from graphwright.envs.rollouts import play
from graphwright.training.agent import Agent
from graphwright.training.config import ConfigError, make_generator
from graphwright.training.decode import SAMPLES, Decoding, require_samples
from graphwright.training.proving import MANY, prove
from graphwright.training.solve import require_local_search
from graphwright.training.statistics import bootstrap_ratio

_SUMS = 1e-12  # of an objective: what the order of summation may change in it


@dataclass(frozen=True)
class EvaluationRow:
    """Mean objectives over some graphs.

    name: the number of nodes of generated graphs, or the file of a user's.
    complete: how many of the policy's solutions are solutions.
    heuristics: name → mean objective. optimum: the mean bound of the exact solver, which is the optimum where proven =
    graphs; None where there is no solver. proven: how many of the optima are proven.
    reference: "optimum", or the best of the heuristics where there is no solver. ratio: how many times worse than the
    reference the policy is, policy / reference where less is better and reference / policy where more is, with its 95 %
    bootstrap interval over graphs, NaN for a single one. seconds: the policy's time for all graphs. unproven: what is
    not installed that would know the optimum. best: the mean of the best solutions that are known, a complete one of
    each graph if there is any; None where they were not asked for. best_by: "policy", heuristic or "solver" → of how
    many graphs it found the best, the first of equals. bound_by: how the bound in place of the optimum was found, where
    that is not the solver. improved: whose solution local search began from → the mean objective that it came to.
    From `MANY` nodes on nothing is drawn at random (None), and only fast heuristics and bounds are asked.
    """

    name: str
    graphs: int
    policy: float
    complete: int
    random: float | None
    heuristics: dict[str, float]
    optimum: float | None
    proven: int
    reference: str
    ratio: float
    ratio_low: float
    ratio_high: float
    seconds: float
    unproven: str | None = None
    best: float | None = None
    best_by: dict[str, int] = field(default_factory=dict)
    bound_by: str | None = None
    improved: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class EvaluationOptions:
    """What to solve."""

    sizes: tuple[int, ...] | None = None
    """Numbers of nodes, one row each; by default twice and five times the largest that was trained on."""
    graphs: int = 100
    """Graphs of each size."""
    seed: int = 1
    """Seed of the graphs and of sampled decoding."""
    decode: Decoding = "greedy"
    """greedy takes the likeliest action, sample draws, best-of keeps the cheapest of --samples draws; parallel takes
    many actions at once, for graphs of 10,000 nodes and more."""
    samples: int = SAMPLES
    """Solutions of each graph for best-of."""
    generator: str | None = None
    """Random graphs as in watts-strogatz:k=4,p=0.3; by default those of the run."""
    law: str | None = None
    """The law by which random graphs become instances; by default that of the run."""
    time_limit: float = 10.0
    """Seconds for the exact solver, each graph; 0 for none."""
    improve: float = 0.0
    """Seconds of local search from each solution of the policy, and as many from each of the first heuristic."""
    policy_only: bool = False
    """Leave out the best that is known of each graph, whoever found it."""

    def __post_init__(self) -> None:
        """Raise ConfigError, naming the option."""
        require("graphs", self.graphs)
        require_samples(self.samples, self.decode)
        if self.sizes == ():
            raise ConfigError("--sizes: give at least one number of nodes")
        for name in ("time_limit", "improve"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ConfigError(f"--{name.replace('_', '-')} {getattr(self, name)}: give a number of seconds")


DEFAULTS = EvaluationOptions()


def evaluate_solutions(
    agent: Agent, options: EvaluationOptions = DEFAULTS, instances: Mapping[str, GraphBatch] | None = None
) -> list[EvaluationRow]:
    """One row for each size, or for each of a user's named batches of instances.

    Raises ConfigError where the options make no graphs.
    """
    named = generated(agent, options) if instances is None else instances
    return [_row(agent, options, name, batch) for name, batch in named.items()]


def generated(agent: Agent, options: EvaluationOptions) -> dict[str, GraphBatch]:
    """Size → `options.graphs` random instances that are not among those of training."""
    config, problem = agent.config, agent.problem
    largest = max(config.collection.sizes or problem.sizes)
    topology, law = options.generator or config.collection.generator, options.law or config.collection.law
    batches = {}
    for size in options.sizes or (2 * largest, 5 * largest):
        generator = make_generator(problem, topology, (size,), law)
        batches[str(size)] = generator(options.graphs, torch.Generator().manual_seed(options.seed))
    return batches


def _row(agent: Agent, options: EvaluationOptions, name: str, instances: GraphBatch) -> EvaluationRow:
    played, environment, problem = agent.config.played, agent.config.environment, agent.problem
    many = max(instances.node_segments.lengths.tolist(), default=0) >= MANY
    asked = [other for other in problem.heuristics if not many or other in problem.fast]
    if options.improve > 0:
        require_local_search(problem)
    now(f"{name}: the policy, {options.decode}")
    start = time.perf_counter()
    states = agent.solve(instances, options.decode, samples=options.samples, seed=options.seed)
    seconds = time.perf_counter() - start
    found = {"policy": states}
    for other in asked:
        now(f"{name}: {other}")
        found[other] = problem.heuristics[other](environment, instances)
    policy, heuristics = played.objective(states), {other: environment.objective(found[other]) for other in asked}
    better = _improved(agent, options, name, {other: found[other] for other in ("policy", *asked[:1])})
    found |= {f"{other}, improved": states for other, states in better.items()}
    proof = prove(problem, environment, instances, options.time_limit, name)
    if proof.optimum is not None and proof.optimum.solution is not None:
        found["solver"] = proof.optimum.solution
    optimum = None if proof.optimum is None else proof.optimum.bound
    best = (max if environment.maximise else min)(
        heuristics, key=lambda other: _mean(heuristics[other]), default="policy"
    )
    reference = heuristics.get(best, policy) if optimum is None else optimum
    ratio = bootstrap_ratio(reference, policy) if environment.maximise else bootstrap_ratio(policy, reference)
    known, by = (None, {}) if options.policy_only else _best_known(environment, found)
    return EvaluationRow(
        name=name,
        graphs=instances.num_graphs,
        policy=_mean(policy),
        complete=int(played.is_complete(states).sum()),
        random=None if many else _mean(_random_objective(played, instances, options.seed)),
        heuristics={other: _mean(values) for other, values in heuristics.items()},
        optimum=None if optimum is None else _mean(optimum),
        proven=0 if proof.optimum is None or proof.bound_by else int(proof.optimum.proven.sum()),
        reference=best if optimum is None else "optimum",
        ratio=ratio.value,
        ratio_low=ratio.low,
        ratio_high=ratio.high,
        seconds=seconds,
        unproven=proof.unproven,
        best=known,
        best_by=by,
        bound_by=proof.bound_by,
        improved={other: _mean(environment.objective(states)) for other, states in better.items()},
    )


def _improved(
    agent: Agent, options: EvaluationOptions, name: str, begun: Mapping[str, GraphBatch]
) -> dict[str, GraphBatch]:
    """Whose solutions local search began from → the final states [B] that it came to; nothing where none is asked."""
    if options.improve == 0:
        return {}
    search, better = require_local_search(agent.problem), {}
    for other, states in begun.items():
        now(f"{name}: local search from {other}")
        rules = agent.config.played if other == "policy" else agent.config.environment
        better[other] = search(rules, states, options.improve, options.seed)
    return better


def _random_objective(environment: Optimization, instances: GraphBatch, seed: int) -> Tensor:
    """[B]: of random choice."""
    choose = random_choice(environment, torch.Generator().manual_seed(seed))
    return environment.objective(play(environment, instances, choose))


def _best_known(environment: Optimization, found: Mapping[str, GraphBatch]) -> tuple[float, dict[str, int]]:
    """The mean objective of the best final state of each graph, and how many of these each finder has.

    found: finder → final states [B]. Complete ones are better than others, then those of least cost; of equals, the
    first. What illegal actions cost a policy is no part of what its solution is worth.
    """
    costs = torch.stack([environment.cost(states) for states in found.values()])
    complete = torch.stack([environment.is_complete(states) for states in found.values()])
    costs = torch.where(complete.any(0) & ~complete, torch.inf, costs)
    least = costs.amin(0)
    finder = (costs <= least + _SUMS * least.abs()).int().argmax(0)
    counts = torch.bincount(finder, minlength=len(found)).tolist()
    by = {name: count for name, count in zip(found, counts, strict=True) if count}
    return _mean(-least if environment.maximise else least), by


def _mean(values: Tensor) -> float:
    return float(values.double().mean())
