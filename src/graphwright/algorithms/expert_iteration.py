"""Expert iteration (Anthony et al. 2017): a search is the expert, and the policy learns what it has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import Algorithm, Setup, actor_critic
from graphwright.algorithms.optimizer import AnnealedAdam, mean_of, require_each
from graphwright.core.segment import segment_sum
from graphwright.data.replay import Transitions
from graphwright.data.samples import OUTCOME, SEARCHED, ReplaySamples
from graphwright.distributions import RaggedCategorical
from graphwright.functional.value import squared_error


@dataclass(frozen=True)
class ExpertIterationConfig:
    """Settings of expert iteration."""

    learning_rate: float = 2e-3
    """At the beginning; it falls linearly to zero."""
    value_coefficient: float = 1.0
    """Weight of the value loss."""
    max_grad_norm: float = 2.0
    """Gradients are clipped to this norm."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no algorithm."""
        require_each(self, "expert-iteration", ("learning_rate", "value_coefficient", "max_grad_norm"), 0)


class ExpertIteration(Algorithm):
    """Expert iteration: the policies that a tree search has found, and the outcomes of its games (AlphaZero's targets).

    L = −Σ_a π(a) log p(a) + c (v − z)²,   π of the search, z the outcome for the side that moves.
    """

    Config = ExpertIterationConfig
    options: ClassVar[str] = "expert-iteration"
    fewest_samples: ClassVar[int] = 1

    def __init__(self, config: ExpertIterationConfig, setup: Setup) -> None:
        self.config = config
        self.observe = setup.environment.observe
        self.policy = actor_critic(setup)
        self.optimizer = AnnealedAdam(self.policy, config.learning_rate, config.max_grad_norm)

    @classmethod
    def build(cls, config: Any, setup: Setup) -> Algorithm:
        """A fresh algorithm."""
        return cls(config, setup)

    @override
    def update(self, batch: ReplaySamples, progress: float) -> dict[str, Tensor]:
        self.optimizer.anneal(progress)
        return mean_of([self._step(transitions) for transitions in batch])

    def _step(self, transitions: Transitions) -> dict[str, Tensor]:
        """One gradient step."""
        distribution, value = self.policy(self.observe(transitions.state))
        if not isinstance(distribution, RaggedCategorical):
            raise ValueError(
                "--algorithm expert-iteration: needs the probability of every candidate; take a head that scores all"
            )
        found = transitions.groups[SEARCHED].columns["policy"]
        log_probs = distribution.log_probs.masked_fill(~distribution.legal, 0)
        policy_loss = -segment_sum(found * log_probs, distribution.segments).mean()
        value_loss = squared_error(value, transitions.columns[OUTCOME])
        norm = self.optimizer.step(policy_loss + self.config.value_coefficient * value_loss)
        spread = -segment_sum(torch.special.xlogy(found, found), distribution.segments).mean()
        metrics = {
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "kl": policy_loss - spread,
            "entropy": distribution.entropy.mean(),
            "grad_norm": norm,
        }
        return {name: metric.detach() for name, metric in metrics.items()}
