"""Fixed goals: conditions that stay the same from one validation to the next, and what objects come to under each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from graphwright.envs.problem import Problem
from graphwright.envs.reversible import Reversible
from graphwright.nn.gflownet_policy import FlowPolicy
from graphwright.training.gflownet.conditions import ConditionConfig, Goal
from graphwright.training.gflownet.measuring import Measures
from graphwright.training.gflownet.sampler import NO_EXPLORATION, Sampler

if TYPE_CHECKING:
    from graphwright.training.gflownet.collector import TrajectoriesConfig

_NARROW = 0.8
"""The share of its own objective in the direction of a focus that is on one of them."""


@dataclass(frozen=True)
class GoalEvaluation:
    """What `objects` objects come to that are built for one goal: the mean of log R under its conditions, without the
    exponent, and of each measure of an object."""

    beta: float
    preference: tuple[float, ...] | None
    focus: tuple[float, ...] | None
    objects: int
    mean_log_reward: float
    mean_measures: tuple[float, ...]


def fixed_goals(condition: ConditionConfig, num_measures: int) -> list[Goal]:
    """Every exponent of least, middle and greatest with all weights alike and with each objective before the others.

    Of what does not vary there is one; none where nothing varies.
    """
    if not condition.varies:
        return []
    varies = condition.beta != "constant"
    betas = [condition.low, (condition.low * condition.high) ** 0.5, condition.high] if varies else [condition.low]
    corners: list[int | None] = [None]
    if condition.preference is not None or condition.focus:
        corners += list(range(num_measures))
    return [
        Goal(
            beta,
            _weights(num_measures, corner, 1.0) if condition.preference is not None else None,
            _weights(num_measures, corner, _NARROW) if condition.focus else None,
        )
        for beta in betas
        for corner in corners
    ]


def _weights(count: int, corner: int | None, share: float) -> tuple[float, ...]:
    if corner is None or count == 1:
        return (1 / count,) * count
    return tuple(share if place == corner else (1 - share) / (count - 1) for place in range(count))


def evaluate_goals(
    problem: Problem,
    environment: Reversible,
    config: TrajectoriesConfig,
    policy: FlowPolicy,
    measure: Measures,
    count: int,
    seed: int,
) -> list[GoalEvaluation]:
    """About `count` objects in all, as many for each of `fixed_goals`."""
    goals, rows = fixed_goals(config.condition, config.reward.num_measures), []
    for goal in goals:
        generator = torch.Generator().manual_seed(seed)
        each = max(count // len(goals), 1)
        instances = config.instances(problem, environment, each, generator, goal)
        objects = Sampler(environment, policy, NO_EXPLORATION, generator).sample_forward(instances).objects
        measures = measure(objects)
        log_reward = float(config.reward.combine(measures, objects).mean())
        assert goal.beta is not None
        means = tuple(measures.mean(0).tolist())
        rows.append(GoalEvaluation(goal.beta, goal.preference, goal.focus, each, log_reward, means))
    return rows


def response(rows: Sequence[GoalEvaluation]) -> float | None:
    """How far goals move the objective that moves least: its mean where it comes first, less where others do."""
    steered = [(row.preference or row.focus or (), row.mean_measures) for row in rows]
    first = [(max(range(len(w)), key=w.__getitem__), means) for w, means in steered if len(set(w)) > 1]
    moved = []
    for place in {corner for corner, _ in first}:
        own = [means[place] for corner, means in first if corner == place]
        others = [means[place] for corner, means in first if corner != place]
        moved.append(sum(own) / len(own) - sum(others) / len(others))
    return min(moved) if moved else None
