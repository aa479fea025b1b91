"""Imitation of an expert that may approve of several actions: cross-entropy on the states that learner and expert meet.

Which states these are is a mix as in DAgger (Ross, Gordon, Bagnell 2011, "A reduction of imitation learning and
structured prediction to no-regret online learning"): the expert takes a share β of the steps, the learner the others.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from graphwright.algorithms.algorithm import Algorithm
from graphwright.algorithms.optimizer import mean_of, require
from graphwright.data.demonstrations import Demonstrations
from graphwright.distributions import RaggedCategorical
from graphwright.functional.imitation import agreement, expert_set_loss


@dataclass(frozen=True)
class ImitationConfig:
    """Settings of imitation."""

    learning_rate: float = 2e-3
    """At the beginning; it falls linearly to zero."""
    num_instances: int = 64
    """Instances between updates; each is solved exactly."""
    repeats: int = 4
    """Episodes of each instance."""
    expert_share: float = 0.7
    """β: part of the steps that the expert takes, the policy choosing among what it approves of."""
    seconds: float = 1.0
    """Time for the solver, each instance; where it runs out, the best solution found is imitated."""
    minibatch_size: int = 512
    """States of each gradient step."""
    max_grad_norm: float = 1.0
    """Gradients are clipped to this norm."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no algorithm."""
        for name in ("num_instances", "repeats", "minibatch_size"):
            require(f"imitation.{name.replace('_', '-')}", getattr(self, name))
        for name in ("learning_rate", "seconds", "max_grad_norm"):
            require(f"imitation.{name.replace('_', '-')}", getattr(self, name), 0)
        require("imitation.expert-share", self.expert_share, 0, 1)


class Imitation(Algorithm[ImitationConfig]):
    """Updates `policy` from demonstrations."""

    def update(self, demonstrations: Demonstrations, progress: float) -> dict[str, Tensor]:
        """Learn from `demonstrations`, at `progress` (0 to 1) of the run; scalars to log."""
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
