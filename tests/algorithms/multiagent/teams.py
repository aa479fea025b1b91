"""Algorithms for teams and what they learn from, small."""

from __future__ import annotations

from typing import Any

import torch

from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.registry import find_algorithm
from graphwright.data.rollout import Rollout
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.team import has_own_reward
from graphwright.envs.vector import VectorEnvironment
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.training.collectors.replay import ExploringReplayConfig
from graphwright.training.collectors.replay_collector import ReplayCollector
from graphwright.training.collectors.steps import collect_steps
from strategies import seeded


def made(
    algorithm: str, environment: Any, *, width: int = 8, depth: int = 2, individual: bool = False, **options: Any
) -> Any:
    """The algorithm of that name with those settings, the same each time."""
    torch.manual_seed(0)
    encoder = EncoderConfig(kind="gin", width=width, depth=depth, individual=individual)
    parts = environment.features, environment.actions, environment, encoder, HeadsConfig(), seeded()
    setup = Setup(algorithm, *parts, own_reward=has_own_reward(environment))
    found = find_algorithm(algorithm).load()
    return found.build(found.Config(**options), setup)


def remembered(environment: Any, draw: Any, policy: Any, n_step: int | None = None, **options: Any) -> ReplayCollector:
    """A collector that has collected once."""
    options = {"num_envs": 4, "num_steps": 4, "warm_up": 0, "capacity": 100, "num_minibatches": 1} | options
    vector = VectorEnvironment(environment, GeneratedInstances(draw, 0), options["num_envs"])
    n_step = n_step or (1 if has_own_reward(environment) else 2)
    collector = ReplayCollector(vector, ExploringReplayConfig(**options), n_step, seeded())
    collector.collect(policy)
    return collector


def rollout_of(environment: Any, draw: Any, policy: Any, num_envs: int = 4, num_steps: int = 5) -> Rollout:
    """Steps of live episodes."""
    return collect_steps(
        VectorEnvironment(environment, GeneratedInstances(draw, 0), num_envs), policy, num_steps, seeded()
    )
