"""Soft actor-critic for candidates (Christodoulou 2019; Haarnoja et al. 2018), with a learned temperature."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.optimizer import AnnealedAdam, require
from graphwright.algorithms.twin import TwinCritic
from graphwright.core.segment import Segments, segment_sum
from graphwright.distributions import RaggedCategorical


@dataclass(frozen=True)
class SACConfig:
    """Settings of SAC."""

    learning_rate: float = 2e-3
    """Of all networks at the beginning; it falls linearly to zero."""
    discount: float = 1.0
    """γ; episodes are finite, and undiscounted costs are what is compared."""
    target_rate: float = 0.01
    """Part of the way that the target networks move to the others after each gradient step."""
    temperature: float = 0.1
    """α at the beginning; it is learned."""
    entropy: float = 0.2
    """What the entropy of each decision is led to, as a share of log(number of its legal candidates)."""
    max_grad_norm: float = 10.0
    """Gradients are clipped to this norm."""
    independent: bool = False
    """Whether each of several deciders has a value of its own though they share a reward, instead of one for all."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no algorithm."""
        require("sac.temperature", self.temperature, 1e-9)
        for name in ("learning_rate", "max_grad_norm"):
            require(f"sac.{name.replace('_', '-')}", getattr(self, name), 0)
        for name in ("discount", "target_rate", "entropy"):
            require(f"sac.{name.replace('_', '-')}", getattr(self, name), 0, 1)


class Temperature(nn.Module):
    """α, by its logarithm."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.log = nn.Parameter(torch.tensor(math.log(start)))


class SAC(TwinCritic):
    """Soft actor-critic from a replay: twin critics, expectations over all candidates, a learned temperature."""

    Config = SACConfig
    options = "sac"

    def __init__(self, config: SACConfig, setup: Setup) -> None:
        super().__init__(config, setup)
        self.temperature = Temperature(config.temperature).to(setup.generator.device)
        self.temperature_optimizer = AnnealedAdam(self.temperature, config.learning_rate, config.max_grad_norm)

    @override
    def state_value(self, policy: RaggedCategorical, values: Tensor) -> Tensor:
        return soft_value(policy, values, self.temperature.log.exp())

    @override
    def actor_loss(
        self, policy: RaggedCategorical, values: Tensor, action: Tensor, graphs: Segments
    ) -> tuple[Tensor, dict[str, Tensor]]:
        temperature, entropy = self.temperature.log.exp().detach(), policy.entropy
        loss = -segment_sum(soft_value(policy, values, temperature), graphs).mean()
        free = segment_sum(policy.legal, policy.segments) > 1  # one candidate has no entropy to lead anywhere
        wanted = self.config.entropy * segment_sum(policy.legal, policy.segments).clamp(min=1).log()
        excess = ((entropy.detach() - wanted) * free).sum() / free.sum().clamp(min=1)
        self.temperature_optimizer.step(self.temperature.log * excess)
        return loss, {"entropy": entropy.mean(), "temperature": temperature}


def soft_value(policy: RaggedCategorical, values: Tensor, temperature: Tensor) -> Tensor:
    """[D]: Σ_a π(a) (Q(a) − α log π(a)); values: Q of each candidate [K]. Christodoulou 2019, eq. 10."""
    return policy.expectation(values) + temperature * policy.entropy
