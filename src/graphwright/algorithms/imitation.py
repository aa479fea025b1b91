"""Imitation of an expert that may approve of several actions: cross-entropy on the states that learner and expert meet.

Which states these are is a mix as in DAgger (Ross, Gordon, Bagnell 2011, "A reduction of imitation learning and
structured prediction to no-regret online learning"): the expert takes a share β of the steps, the learner the others.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import MinibatchAlgorithm
from graphwright.algorithms.optimizer import mean_of, require
from graphwright.data.demonstrations import Demonstrations
from graphwright.distributions import RaggedCategorical
from graphwright.functional.imitation import agreement, expert_set_loss


@dataclass(frozen=True)
class ImitationConfig:
    """Settings of imitation."""

    learning_rate: float = 2e-3
    """At the beginning; it falls linearly to zero."""
    minibatch_size: int = 512
    """States of each gradient step."""
    max_grad_norm: float = 1.0
    """Gradients are clipped to this norm."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no algorithm."""
        require("imitation.minibatch-size", self.minibatch_size)
        for name in ("learning_rate", "max_grad_norm"):
            require(f"imitation.{name.replace('_', '-')}", getattr(self, name), 0)


class Imitation(MinibatchAlgorithm[ImitationConfig]):
    """Imitation of exact solutions, on the states that expert and policy meet."""

    Config = ImitationConfig
    options = "imitation"

    @override
    def update(self, demonstrations: Demonstrations, progress: float) -> dict[str, Tensor]:
        self.optimizer.anneal(progress)
        rows = self.minibatches(demonstrations.num_steps, demonstrations.approved.device)
        return mean_of([self._step(demonstrations, some) for some in rows])

    def _step(self, demonstrations: Demonstrations, rows: Tensor) -> dict[str, Tensor]:
        """One gradient step on the states at `rows`."""
        distribution = self.policy.distribution(self.observe(demonstrations.states.select(rows)))
        assert isinstance(distribution, RaggedCategorical)
        expert = demonstrations.select(rows)
        loss = expert_set_loss(distribution.log_probs, expert, distribution.segments)
        norm = self.optimizer.step(loss)
        metrics = {
            "imitation_loss": loss,
            "agreement": agreement(distribution.log_probs, expert, distribution.segments),
            "entropy": distribution.entropy.mean(),
            "grad_norm": norm,
        }
        return {name: value.detach() for name, value in metrics.items()}
