"""Imitation of an expert: cross-entropy on what is right in the states that learner and expert meet, or on a recording.

Which states these are is a mix as in DAgger (Ross, Gordon, Bagnell 2011, "A reduction of imitation learning and
structured prediction to no-regret online learning"): the expert takes a share β of the steps, the learner the others.
Behaviour cloning (Pomerleau 1991) is the same from a recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeVar

from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import MinibatchAlgorithm
from graphwright.algorithms.optimizer import mean_of, require_each
from graphwright.core.segment import Segments
from graphwright.data.demonstrations import Demonstrations
from graphwright.distributions import Distribution, RaggedCategorical
from graphwright.functional.imitation import action_loss, agreement, expert_set_loss, soft_target_loss


@dataclass(frozen=True)
class ImitationConfig:
    """Settings of imitation."""

    options: ClassVar[str] = "imitation"

    learning_rate: float = 2e-3
    """At the beginning; it falls linearly to zero."""
    minibatch_size: int = 512
    """States of each gradient step."""
    passes: int = 1
    """Passes over what was collected."""
    max_grad_norm: float = 1.0
    """Gradients are clipped to this norm."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no algorithm."""
        require_each(self, self.options, ("minibatch_size", "passes"))
        require_each(self, self.options, ("learning_rate", "max_grad_norm"), 0)


@dataclass(frozen=True)
class BehaviourCloningConfig(ImitationConfig):
    """Settings of behaviour cloning."""

    options: ClassVar[str] = "bc"


Own = TypeVar("Own", bound=ImitationConfig)


class Imitation(MinibatchAlgorithm[Own]):
    """Imitation of an expert (DAgger), on the states that expert and policy meet."""

    Config: ClassVar[type] = ImitationConfig
    options = "imitation"

    @override
    def update(self, demonstrations: Demonstrations, progress: float) -> dict[str, Tensor]:
        self.optimizer.anneal(progress)
        count, device, steps = demonstrations.num_steps, demonstrations.device, []
        for _ in range(self.config.passes):
            steps += [self._step(demonstrations, rows) for rows in self.minibatches(count, device)]
        return mean_of(steps)

    def _step(self, demonstrations: Demonstrations, rows: Tensor) -> dict[str, Tensor]:
        """One gradient step on the states at `rows`."""
        places = demonstrations.places(rows)
        observation = self.observe(demonstrations.states.select(places))
        distribution = self.policy.distribution(observation)
        loss, metrics = self.loss(distribution, demonstrations, places)
        norm = self.optimizer.step(loss + self.distance(distribution, observation))
        metrics |= {"imitation_loss": loss, "entropy": distribution.entropy.mean(), "grad_norm": norm}
        return {name: value.detach() for name, value in metrics.items()}

    def loss(
        self, distribution: Distribution, demonstrations: Demonstrations, places: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """How far the policy is from what is right in the states at `places` of the table, and scalars to log."""
        if demonstrations.target is None:
            return _loss_of_actions(distribution, demonstrations, places), {}
        assert isinstance(distribution, RaggedCategorical)
        return self.loss_of_targets(distribution.log_probs, demonstrations.targets(places), distribution.segments)

    def loss_of_targets(
        self, log_probs: Tensor, target: Tensor, segments: Segments
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The same, where `target` [K] says how right each candidate is; log_probs: [K]."""
        return expert_set_loss(log_probs, target, segments), {"agreement": agreement(log_probs, target, segments)}


class BehaviourCloning(Imitation[BehaviourCloningConfig]):
    """Behaviour cloning of a recording: supervised learning of what was done, or of probabilities."""

    Config: ClassVar[type] = BehaviourCloningConfig
    options = "bc"

    @override
    def loss_of_targets(
        self, log_probs: Tensor, target: Tensor, segments: Segments
    ) -> tuple[Tensor, dict[str, Tensor]]:
        return soft_target_loss(log_probs, target, segments), {}


def _loss_of_actions(distribution: Distribution, demonstrations: Demonstrations, places: Tensor) -> Tensor:
    assert demonstrations.action is not None
    action = demonstrations.action.select(places)
    decided = action.isfinite().all(1) if action.is_floating_point() else action >= 0
    return action_loss(distribution.log_prob(action), decided)
