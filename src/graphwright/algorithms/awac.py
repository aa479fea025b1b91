"""Advantage-weighted actor-critic (Nair, Gupta, Dalal, Levine 2020, "AWAC")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.optimizer import require_each
from graphwright.algorithms.twin import TwinConfig, TwinCritic
from graphwright.core.segment import Segments
from graphwright.distributions import RaggedCategorical


@dataclass(frozen=True)
class AWACConfig(TwinConfig):
    """Settings of AWAC."""

    options: ClassVar[str] = "awac"

    temperature: float = 0.3
    """λ: an action that is better by this much than the policy's mean weighs e times as much."""
    largest_weight: float = 20.0
    """No action weighs more than this."""

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        require_each(self, self.options, ("temperature",), 1e-9)
        require_each(self, self.options, ("largest_weight",), 0)


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
