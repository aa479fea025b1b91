"""REINFORCE with a shared baseline: the mean return of several episodes of the same instance.

Williams 1992; the baseline is that of Kool et al. 2019 ("Buy 4 REINFORCE samples, get a baseline for free!") and POMO
(Kwon et al. 2020). There is no critic to be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import MinibatchAlgorithm
from graphwright.algorithms.optimizer import mean_of, require, require_each
from graphwright.core.segment import segment_sum
from graphwright.data.rollout import Episodes
from graphwright.functional.policy_gradient import score_function_loss, standardize
from graphwright.functional.returns import group_advantage


@dataclass(frozen=True)
class ReinforceConfig:
    """Settings of REINFORCE."""

    learning_rate: float = 2e-3
    """At the beginning; it falls linearly to zero."""
    minibatch_size: int = 768
    """States of each gradient step."""
    entropy_coefficient: float = 0.0
    """Weight of the entropy bonus."""
    max_grad_norm: float = 1.0
    """Gradients are clipped to this norm."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no algorithm."""
        require("reinforce.minibatch-size", self.minibatch_size)
        require_each(self, "reinforce", ("learning_rate", "max_grad_norm"), 0)


class Reinforce(MinibatchAlgorithm[ReinforceConfig]):
    """REINFORCE: whole episodes, each compared with the mean of several of the same instance."""

    Config = ReinforceConfig
    options = "reinforce"
    fewest_samples = 2

    @override
    def update(self, episodes: Episodes, progress: float) -> dict[str, Tensor]:
        self.optimizer.anneal(progress)
        advantage = standardize(group_advantage(episodes.returns).flatten()[episodes.episode.long()])
        steps = []
        for rows in self.minibatches(episodes.num_steps, advantage.device):
            steps.append(self._step(episodes, rows, advantage[rows]))
        return mean_of(steps)

    def _step(self, episodes: Episodes, rows: Tensor, advantage: Tensor) -> dict[str, Tensor]:
        """One gradient step on the states at `rows`."""
        observation = self.observe(episodes.states.select(rows))
        distribution = self.policy.distribution(observation)
        log_prob, entropy = distribution.log_prob(episodes.action.select(rows)), distribution.entropy
        _, groups = episodes.action.decisions(rows)
        if groups is not None:
            log_prob, entropy = segment_sum(log_prob, groups), segment_sum(entropy, groups)
        policy_loss, entropy = score_function_loss(log_prob, advantage), entropy.mean()
        away = self.distance(distribution, observation)
        norm = self.optimizer.step(policy_loss - self.config.entropy_coefficient * entropy + away)
        return {"policy_loss": policy_loss.detach(), "entropy": entropy.detach(), "grad_norm": norm}
