"""Proximal policy optimisation (Schulman et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.on_policy import AdvantageAlgorithm, AdvantageConfig
from graphwright.algorithms.optimizer import mean_of, require_each, require_positive
from graphwright.core.segment import segment_sum
from graphwright.data.rollout import Rollout
from graphwright.functional.policy_gradient import approximate_kl, clipped_surrogate_loss, standardize
from graphwright.functional.value import squared_error
from graphwright.nn.policies import Values


@dataclass(frozen=True)
class PPOConfig(AdvantageConfig):
    """Settings of PPO."""

    options: ClassVar[str] = "ppo"

    learning_rate: float = 4e-3
    """At the beginning; it falls linearly to zero."""
    minibatch_size: int = 512
    """States of each gradient step."""
    epochs: int = 3
    """Passes over what was collected."""
    clip: float = 0.2
    """ε of the clipped surrogate."""
    ratio: Literal["joint", "decision"] = "joint"
    """What is clipped where a graph has several decisions: the ratio of all of them together, or that of each."""
    target_kl: float | None = 0.05
    """An update ends when the policy has moved this far; None: never."""

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        require_each(self, self.options, ("epochs",))
        require_positive(f"{self.options}.clip", self.clip)
        if self.target_kl is not None:
            require_positive(f"{self.options}.target-kl", self.target_kl)


class PPO(AdvantageAlgorithm[PPOConfig]):
    """Proximal policy optimisation: clipped policy gradients with a critic, from steps of many episodes."""

    Config: ClassVar[type] = PPOConfig
    options = "ppo"

    @classmethod
    @override
    def values_in(cls, config: PPOConfig, setup: Setup) -> Values:
        return "decisions" if config.ratio == "decision" and setup.own_reward else "graphs"

    @override
    def update(self, rollout: Rollout, progress: float) -> dict[str, Tensor]:
        self.optimizer.anneal(progress)
        advantage, target, metrics = self.advantages(rollout)
        steps = []
        weight = standardize(advantage)
        for _ in range(self.config.epochs):
            for rows in self.pieces(rollout):
                steps.append(self._step(rollout, rows, weight, target))
            if self.config.target_kl is not None and steps[-1]["kl"] > self.config.target_kl:
                break
        return metrics | mean_of(steps)

    def _step(self, rollout: Rollout, rows: Tensor, advantage: Tensor, target: Tensor) -> dict[str, Tensor]:
        """One gradient step on the states at `rows`, with the advantages and targets of all."""
        observation = self.observe(rollout.states.select(rows))
        distribution, value = self.assess(rollout, rows, observation)
        decisions, groups = rollout.action.decisions(rows)
        chosen = decisions if self.own else rows
        advantage, target = advantage[chosen], target[chosen]
        log_prob, entropy = distribution.log_prob(rollout.action.select(rows)), distribution.entropy
        old_log_prob = rollout.log_prob[decisions]
        if groups is not None and self.config.ratio == "joint":
            log_prob, old_log_prob = segment_sum(log_prob, groups), segment_sum(old_log_prob, groups)
            entropy = segment_sum(entropy, groups)
        elif groups is not None and not self.own:
            advantage = advantage[groups.index]
        policy_loss = clipped_surrogate_loss(log_prob, old_log_prob, advantage, self.config.clip)
        value_loss = squared_error(value, target)
        entropy = entropy.mean()
        loss = policy_loss + self.config.value_coefficient * value_loss - self.config.entropy_coefficient * entropy
        norm = self.optimizer.step(loss + self.distance(distribution, observation))
        metrics = {
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "entropy": entropy,
            "kl": approximate_kl(log_prob, old_log_prob),
            "grad_norm": norm,
        }
        return {name: value.detach() for name, value in metrics.items()}
