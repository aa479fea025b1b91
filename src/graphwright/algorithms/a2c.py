"""Advantage actor-critic: A2C (Mnih et al. 2016, "Asynchronous methods for deep reinforcement learning")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.on_policy import AdvantageAlgorithm, AdvantageConfig
from graphwright.algorithms.optimizer import mean_of
from graphwright.core.segment import segment_sum
from graphwright.data.rollout import Rollout
from graphwright.functional.policy_gradient import score_function_loss, standardize
from graphwright.functional.value import squared_error


@dataclass(frozen=True)
class A2CConfig(AdvantageConfig):
    """Settings of A2C, which sees each state once."""

    options: ClassVar[str] = "a2c"


class A2C(AdvantageAlgorithm[A2CConfig]):
    """Advantage actor-critic: one pass of policy gradients with a critic, from steps of many episodes."""

    Config: ClassVar[type] = A2CConfig
    options = "a2c"

    @override
    def update(self, rollout: Rollout, progress: float) -> dict[str, Tensor]:
        self.optimizer.anneal(progress)
        advantage, target, metrics = self.advantages(rollout)
        weight = standardize(advantage)
        return metrics | mean_of([self._step(rollout, some, weight, target) for some in self.pieces(rollout)])

    def _step(self, rollout: Rollout, rows: Tensor, advantage: Tensor, target: Tensor) -> dict[str, Tensor]:
        """One gradient step on the states at `rows`, with the advantages and targets of all."""
        observation = self.observe(rollout.states.select(rows))
        distribution, value = self.assess(rollout, rows, observation)
        log_prob, entropy = distribution.log_prob(rollout.action.select(rows)), distribution.entropy
        chosen, groups = rollout.action.decisions(rows)
        if not self.own:
            chosen = rows
            if groups is not None:  # several decisions of a graph are one joint action
                log_prob, entropy = segment_sum(log_prob, groups), segment_sum(entropy, groups)
        policy_loss = score_function_loss(log_prob, advantage[chosen])
        value_loss, entropy = squared_error(value, target[chosen]), entropy.mean()
        loss = policy_loss + self.config.value_coefficient * value_loss - self.config.entropy_coefficient * entropy
        norm = self.optimizer.step(loss + self.distance(distribution, observation))
        metrics = {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy, "grad_norm": norm}
        return {name: metric.detach() for name, metric in metrics.items()}
