"""Advantage-weighted actor-critic (Nair, Gupta, Dalal, Levine 2020, "AWAC")."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.optimizer import require
from graphwright.algorithms.twin import TwinCritic
from graphwright.core.segment import Segments
from graphwright.distributions import RaggedCategorical


@dataclass(frozen=True)
class AWACConfig:
    """Settings of AWAC."""

    learning_rate: float = 2e-3
    """Of all networks at the beginning; it falls linearly to zero."""
    discount: float = 1.0
    """γ; episodes are finite, and undiscounted costs are what is compared."""
    target_rate: float = 0.01
    """Part of the way that the target networks move to the others after each gradient step."""
    temperature: float = 0.3
    """λ: an action that is better by this much than the policy's mean weighs e times as much."""
    largest_weight: float = 20.0
    """No action weighs more than this."""
    max_grad_norm: float = 10.0
    """Gradients are clipped to this norm."""
    independent: bool = False
    """Whether each of several deciders has a value of its own though they share a reward, instead of one for all."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no algorithm."""
        require("awac.temperature", self.temperature, 1e-9)
        for name in ("learning_rate", "max_grad_norm", "largest_weight"):
            require(f"awac.{name.replace('_', '-')}", getattr(self, name), 0)
        for name in ("discount", "target_rate"):
            require(f"awac.{name.replace('_', '-')}", getattr(self, name), 0, 1)


class AWAC(TwinCritic):
    """Advantage-weighted actor-critic: the policy repeats what was done, the more the better it was."""

    Config = AWACConfig
    options = "awac"

    @override
    def state_value(self, policy: RaggedCategorical, values: Tensor) -> Tensor:
        return policy.expectation(values)

    @override
    def actor_loss(
        self, policy: RaggedCategorical, values: Tensor, action: Tensor, graphs: Segments
    ) -> tuple[Tensor, dict[str, Tensor]]:
        mean = policy.expectation(values).detach()
        advantage = policy.at(action, values) - mean
        weight = (advantage / self.config.temperature).exp().clamp(max=self.config.largest_weight)
        loss = -(weight * policy.log_prob(action)).mean()
        return loss, {"entropy": policy.entropy.mean(), "weight": weight.mean()}
