"""Fresh networks, made from settings: a whole algorithm, or the policy alone."""

from __future__ import annotations

from typing import Any

import torch

from graphwright.algorithms.algorithm import Algorithm, Setup
from graphwright.algorithms.registry import find_algorithm
from graphwright.core.timestep import MEMORY
from graphwright.envs.game import Game
from graphwright.envs.team import has_own_reward
from graphwright.nn import GraphPolicy
from graphwright.nn.policies import ValuedPolicy
from graphwright.training.collectors.play import PlayConfig
from graphwright.training.config import ConfigError, TrainConfig


def make_algorithm(config: TrainConfig, generator: torch.Generator) -> Algorithm:
    """A fresh algorithm, its networks the same for the same seed. Raises ValueError where settings do not fit."""
    collection, environment = config.collection, config.environment
    if isinstance(collection, PlayConfig):
        environment = collection.played(environment)
        features = environment.features
    else:
        features = collection.features(environment)
    made = find_algorithm(config.algorithm).load()
    if MEMORY in features.nodes and not getattr(made, "remembers", False):
        raise ConfigError(
            f"--memory: --algorithm {config.algorithm} learns from single steps; take mappo, ippo, central-v, iac, "
            "coma, maddpg, qmix, vdn, iql, ppo, a2c, dqn, sac or awac"
        )
    setup = Setup(
        config.algorithm,
        features,
        environment.actions,
        environment,
        config.encoder,
        config.heads,
        generator,
        has_own_reward(environment),
        isinstance(environment, Game),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return made.build(config.settings, setup)


def make_policy(config: TrainConfig, device: torch.device) -> Any:
    """A fresh policy without what only learns, the same for the same seed."""
    if not isinstance(config.collection, PlayConfig):
        return make_algorithm(config, torch.Generator(device)).policy
    environment = config.played
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        make = ValuedPolicy if isinstance(environment, Game) else GraphPolicy
        return make(environment.features, environment.actions, config.encoder, config.heads).to(device)
