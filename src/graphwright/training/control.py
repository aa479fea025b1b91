"""Evaluation of what never ends: averages over many slots of one run, without resets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch

from graphwright.core import GraphBatch, GraphError
from graphwright.core.doing import now
from graphwright.core.numbers import require_each
from graphwright.envs.endless import Endless
from graphwright.envs.problem import Problem
from graphwright.training.acting import Act, act_of_policy, act_of_rule, drawing
from graphwright.training.agent import Agent
from graphwright.training.averages import ARRIVED, BACKLOG, DEPARTED, require_endless, run
from graphwright.training.config import ConfigError, make_generator
from graphwright.training.statistics import batch_means


@dataclass(frozen=True)
class ControlRow:
    """What one instance, or the random ones of one size, came to.

    backlog: its mean over all slots from empty queues on, with its 95 % interval by batch means (NaN for one slot).
    throughput: what left for good of what arrived, NaN where nothing did. slots: of each instance.
    """

    instance: str
    backlog: float
    backlog_low: float
    backlog_high: float
    throughput: float
    slots: int


@dataclass(frozen=True)
class ControlOptions:
    """How long what is controlled, and which random networks where no files are given."""

    slots: int = 10_000
    """Slots of each instance, from empty queues on; of what never ends."""
    seed: int = 1
    """Seed of all that is random."""
    sizes: tuple[int, ...] | None = None
    """Numbers of nodes of random instances, one row each; by default those to train on."""
    graphs: int = 10
    """Random instances of each size."""
    generator: str | None = None
    """Random graphs as in barabasi-albert:m=2; by default the problem's own."""
    law: str | None = None
    """The law by which random graphs become instances; by default the problem's first."""
    decode: Literal["greedy", "sample"] | None = None
    """Of a trained policy: greedy takes the likeliest action, sample draws; by default as the run was validated."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option."""
        require_each(self, "", ("slots", "graphs"))
        if self.sizes == ():
            raise ConfigError("--sizes: give at least one number of nodes")


def random_instances(problem: Problem, options: ControlOptions) -> dict[str, GraphBatch]:
    """Size → `options.graphs` random instances. Raises ConfigError naming the options."""
    return {
        str(size): make_generator(problem, options.generator, (size,), options.law)(
            options.graphs, torch.Generator().manual_seed(options.seed)
        )
        for size in options.sizes or problem.sizes
    }


def evaluate_rule(
    problem: Problem, environment: Endless, name: str, instances: Mapping[str, GraphBatch], options: ControlOptions
) -> list[ControlRow]:
    """A row for each of the named `instances` under the baseline of that name, or "random".

    Raises ConfigError where there is none.
    """
    played = environment
    if name in problem.baselines:
        played = require_endless(problem, problem.baselines[name].environment(environment))
    return evaluate_control(played, act_of_rule(problem, played, name, options.seed), instances, options)


def evaluate_policy(
    agent: Agent, options: ControlOptions, instances: Mapping[str, GraphBatch] | None = None
) -> list[ControlRow]:
    """A row for each of the named `instances`, by default random ones, under a trained policy."""
    environment = require_endless(agent.problem, agent.config.environment)
    act = act_of_policy(agent.policy, environment, drawing(agent.decoding(options.decode), agent.policy, options.seed))
    collection = agent.config.collection
    if instances is None:
        options = replace(
            options,
            generator=options.generator or collection.generator,
            law=options.law or collection.law,
            sizes=options.sizes or collection.sizes,
        )
        instances = random_instances(agent.problem, options)
    return evaluate_control(environment, act, instances, options)


def evaluate_control(
    environment: Endless, act: Act, instances: Mapping[str, GraphBatch], options: ControlOptions
) -> list[ControlRow]:
    """A row for each of the named `instances`, all run side by side as far as their columns are alike."""
    batches = list(instances.values())
    now(f"{options.slots:,} slots of {sum(batch.num_graphs for batch in batches)} networks")
    try:
        series = run(environment, act, GraphBatch.concat(batches), options.slots, options.seed)
        sizes = [batch.num_graphs for batch in batches]
        parts = {name: np.split(values, np.cumsum(sizes)[:-1], axis=1) for name, values in series.items()}
        split = [{name: parts[name][place] for name in parts} for place in range(len(batches))]
    except GraphError:  # of other columns, such as those of another law of counts
        split = [run(environment, act, batch, options.slots, options.seed) for batch in batches]
    return [_row(name, each, options.slots) for name, each in zip(instances, split, strict=True)]


def _row(name: str, series: Mapping[str, np.ndarray], slots: int) -> ControlRow:
    backlog = batch_means(series[BACKLOG].mean(1))
    arrived = float(series[ARRIVED].sum()) if ARRIVED in series else 0.0
    throughput = float(series[DEPARTED].sum()) / arrived if arrived else float("nan")
    return ControlRow(name, backlog.value, backlog.low, backlog.high, throughput, slots)
