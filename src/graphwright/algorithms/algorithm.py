"""What every algorithm is: a policy, how it sees states, and the optimizer that changes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from graphwright.algorithms.optimizer import AnnealedAdam
from graphwright.core import GraphBatch, Observation
from graphwright.nn import GraphPolicy


class OptimizerSettings(Protocol):
    """What the settings of every algorithm have."""

    @property
    def learning_rate(self) -> float:
        """At the beginning; it falls linearly to zero."""

    @property
    def max_grad_norm(self) -> float:
        """Gradients are clipped to this norm."""

    @property
    def minibatch_size(self) -> int:
        """States of each gradient step."""


Config = TypeVar("Config", bound=OptimizerSettings)


class Algorithm(Generic[Config]):
    """Updates `policy` from collected data; `observe` is the environment's; `generator` shuffles."""

    def __init__(
        self,
        policy: GraphPolicy,
        observe: Callable[[GraphBatch], Observation],
        config: Config,
        generator: torch.Generator,
    ) -> None:
        self.policy = policy
        self.observe = observe
        self.config = config
        self.generator = generator
        self.optimizer = AnnealedAdam(policy, config.learning_rate, config.max_grad_norm)

    def minibatches(self, count: int, device: torch.device) -> tuple[Tensor, ...]:
        """The rows 0 to `count` in random order, in pieces of `minibatch_size`."""
        return torch.randperm(count, generator=self.generator, device=device).split(self.config.minibatch_size)
