"""Environments, tensordicts and policies that the tests of TorchRL share."""

from __future__ import annotations

from dataclasses import replace

import torch
from tensordict import TensorDict
from torch import Tensor

from environments import ENVIRONMENTS, KINDS
from graphwright.core import GraphBatch, Observation
from graphwright.envs.environment import Environment
from graphwright.envs.registry import SOLVED
from graphwright.envs.rollouts import has_choice
from graphwright.frameworks.schema import Limits, Schema, pad
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig

EVERY_KIND: dict[str, Environment] = {**ENVIRONMENTS, **KINDS}
"""An environment for each kind of action."""


def instances(environment: Environment, count: int, sizes: tuple[int, ...] = (3, 4, 5, 6, 7)) -> GraphBatch:
    """Weighted random graphs as instances of `environment`."""
    drawn = SOLVED["vertex-cover"].generator(sizes=sizes)(count, torch.Generator().manual_seed(count))
    return environment.instance(drawn)


def first_observation(environment: Environment, count: int, sizes: tuple[int, ...] = (3, 4, 5, 6, 7)) -> Observation:
    """Of `count` graphs in which there is something to decide."""
    states = environment.reset(instances(environment, 4 * count, sizes))
    fit = has_choice(environment, environment.observe(states)).nonzero().squeeze(1)
    return environment.observe(states.select(fit[:count]))


def make_policy(environment: Environment, **encoder: object) -> ActorCritic:
    """The same one each time, which scores every candidate."""
    torch.manual_seed(0)
    config = replace(EncoderConfig(kind="transformer", width=8, depth=2), **encoder)
    return ActorCritic(environment.features, environment.actions, config, HeadsConfig(pairs="ends", scale="state"))


def padded(environment: Environment, observation: Observation, more: int = 0) -> TensorDict:
    """The observation [B] with room for its largest graph and `more`."""
    arrays = Schema(environment.features, environment.actions).pack(observation)
    most = [int(arrays[key].max()) + more for key in ("num_nodes", "num_edges", "num_actions")]
    return TensorDict(pad(arrays, Limits(*most)), batch_size=[observation.graph.num_graphs])


def gradients(policy: ActorCritic, total: Tensor) -> dict[str, Tensor]:
    """What `total` sends to each parameter that it depends on."""
    names, parameters = zip(*policy.named_parameters(), strict=True)
    found = torch.autograd.grad(total, parameters, allow_unused=True, retain_graph=True)
    return {name: gradient for name, gradient in zip(names, found, strict=True) if gradient is not None}
