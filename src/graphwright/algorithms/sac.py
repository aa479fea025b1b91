"""Soft actor-critic for candidates (Christodoulou 2019; Haarnoja et al. 2018), with a learned temperature."""

from __future__ import annotations

from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import Algorithm, Setup
from graphwright.algorithms.continuous_sac import ContinuousSAC
from graphwright.algorithms.optimizer import AnnealedAdam
from graphwright.algorithms.sac_config import SACConfig, Temperature
from graphwright.algorithms.twin import TwinCritic
from graphwright.core.segment import Segments, segment_sum
from graphwright.distributions import RaggedCategorical


class SAC(TwinCritic):
    """Soft actor-critic from a replay: twin critics, expectations over all candidates, a learned temperature."""

    Config = SACConfig
    options = "sac"

    @classmethod
    @override
    def build(cls, config: SACConfig, setup: Setup) -> Algorithm:
        """That of candidates, or of real numbers."""
        return ContinuousSAC(config, setup) if setup.actions.continuous else cls(config, setup)

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
