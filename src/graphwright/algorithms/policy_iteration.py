"""Approximate policy iteration: the policy learns to choose what forks say is best, if it goes on as it is.

Lagoudakis & Parr 2003 ("Reinforcement learning as classification: leveraging modern classifiers"): candidates are
compared by playing on from each of them, and no value is learned. Here they are compared by the same chance, so that
most of the noise is common to them, and an error counts as much as it costs (Dimitrakakis & Lagoudakis 2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import MinibatchAlgorithm
from graphwright.algorithms.optimizer import mean_of, require_each
from graphwright.core.segment import Segments, segment_max, segment_sum
from graphwright.data.demonstrations import Demonstrations
from graphwright.distributions import RaggedCategorical
from graphwright.functional.policy_iteration import advantages_over_worst, cost_sensitive_loss


@dataclass(frozen=True)
class PolicyIterationConfig:
    """Settings of policy iteration."""

    options: ClassVar[str] = "policy-iteration"

    learning_rate: float = 3e-3
    """At the beginning; it falls linearly to zero."""
    epochs: int = 8
    """Passes over what was collected."""
    minibatch_size: int = 64
    """States of each gradient step."""
    max_grad_norm: float = 1.0
    """Gradients are clipped to this norm."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no algorithm."""
        require_each(self, self.options, ("epochs", "minibatch_size"))
        require_each(self, self.options, ("learning_rate", "max_grad_norm"), 0)


class PolicyIteration(MinibatchAlgorithm[PolicyIterationConfig]):
    """Policy iteration by forks: what may be done is tried, the policy going on from there, and the best is learned."""

    Config = PolicyIterationConfig
    options = "policy-iteration"

    @override
    def update(self, forks: Demonstrations, progress: float) -> dict[str, Tensor]:
        self.optimizer.anneal(progress)
        steps = []
        for _ in range(self.config.epochs):
            for rows in self.minibatches(forks.num_steps, forks.device):
                steps.append(self._step(forks, rows))
        return mean_of(steps)

    def _step(self, forks: Demonstrations, rows: Tensor) -> dict[str, Tensor]:
        """One gradient step on the states at `rows`."""
        observation = self.observe(forks.states.select(rows))
        distribution = self.policy.distribution(observation)
        assert isinstance(distribution, RaggedCategorical)
        segments, worth = distribution.segments, forks.targets(rows)
        weight = advantages_over_worst(worth, segments)
        loss = cost_sensitive_loss(distribution.logits, weight, worth.isfinite(), segments)
        norm = self.optimizer.step(loss + self.distance(distribution, observation))
        metrics = {"loss": loss, "entropy": distribution.entropy.mean(), "grad_norm": norm}
        metrics["regret"] = _regret(distribution, weight, worth.isfinite(), segments)
        return {name: value.detach() for name, value in metrics.items()}


def _regret(distribution: RaggedCategorical, weight: Tensor, tried: Tensor, segments: Segments) -> Tensor:
    """How much the policy loses by choosing what it does rather than the best of what was tried, by a noisy word."""
    among = RaggedCategorical(distribution.logits, segments, tried)
    expected = segment_sum(among.log_probs.exp() * weight, segments)
    some = segment_sum(tried, segments) > 0
    best = segment_max(weight, segments)
    return ((best - expected) * some).sum() / some.sum().clamp(min=1)
