"""Q-learning from a replay, with a double target (van Hasselt 2016) or Munchausen's (Vieillard 2020)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.off_policy import OffPolicyAlgorithm, OffPolicyConfig, require_several
from graphwright.algorithms.optimizer import AnnealedAdam, require, require_each
from graphwright.algorithms.target import Target
from graphwright.core import Observation
from graphwright.core.segment import Segments
from graphwright.core.sequence import Sequence
from graphwright.data.replay import Transitions
from graphwright.data.samples import DECISIONS
from graphwright.distributions import RaggedCategorical
from graphwright.functional.q_learning import huber, munchausen_bonus, soft_value
from graphwright.functional.reducers import mean_of_others


@dataclass(frozen=True)
class QLearningConfig(OffPolicyConfig):
    """What the settings of such algorithms have in common."""

    learning_rate: float = 4e-3
    """At the beginning; it falls linearly to zero."""
    target_period: int = 1
    """Gradient steps between two moves of the target network."""
    double: bool = True
    """Whether the network itself, not its target, says which action is best in the next state."""
    munchausen: float = 0.0
    """α, the weight of the policy's own log-probability in the reward (0.9, say); 0 is plain DQN."""
    munchausen_of: Literal["own", "team-mate"] = "own"
    """Whose log-probability that is: the agent's own, or its team-mates', in the mean over those that are there, 0 for
    an agent alone. What adds up over a team is the same."""
    temperature: float = 0.03
    """τ of the softmax policy of Munchausen-DQN, in the unit of the scores."""
    least_log: float = -1.0
    """What α multiplies is cut off below at this, in the unit of the scores."""

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        require(f"{self.options}.target-period", self.target_period)
        require_each(self, self.options, ("munchausen",), 0)
        require(f"{self.options}.temperature", self.temperature, 1e-6)
        if self.least_log > 0:
            raise ValueError(f"--{self.options}.least-log {self.least_log}: give at most 0")


class QLearning(OffPolicyAlgorithm):
    """What such algorithms have in common: the target, from a network that follows slowly.

    The actor's scores say which action is worth most, so the policy that a run leaves takes the best of them.
    Subclasses say what the network is (`network`), and how values are made of its scores (`read`).
    """

    draws = False
    remembers = True

    def __init__(self, config: QLearningConfig, setup: Setup) -> None:
        super().__init__(config, setup)
        if config.munchausen_of == "team-mate":
            require_several(setup)
        self.policy = self.network(setup)
        self.target = Target(self.policy, config.target_rate, config.target_period, self.scale)
        self.optimizer = AnnealedAdam(self.policy, config.learning_rate, config.max_grad_norm)
        self._bonus = self._log_policy if config.munchausen else self._nothing
        self._ahead = self._soft if config.munchausen else self._double if config.double else self._greatest

    @abstractmethod
    def network(self, setup: Setup) -> Any:
        """A fresh network, whose scores are what `read` gives."""

    @abstractmethod
    def read(
        self, network: Any, observation: Observation, sequence: Sequence | None = None
    ) -> tuple[RaggedCategorical, Callable[[Tensor], Tensor]]:
        """Scores of the candidates as logits, and what makes values [R] of one score for each decision [D].

        sequence: of steps in a row, which decisions go on where.
        """

    @override
    def start_from(self, weights: Mapping[str, Tensor]) -> None:
        super().start_from(weights)
        self.target.network.load_state_dict(self.policy.state_dict())

    @override
    def take_units(self, state: Mapping[str, Tensor]) -> None:
        super().take_units(state)
        if "scale.begun" in state:  # the target begins as the policy does, and so do its units
            self.target.scale.follow(self.scale, 1.0)

    @override
    def _step(self, transitions: Transitions) -> tuple[dict[str, Tensor], Tensor]:
        valued, decisions = self.valued, transitions.groups[DECISIONS]
        action, graphs = decisions.columns["action"], decisions.segments
        observation = self.observe(transitions.state)
        scores, join = self.read(self.policy, observation, transitions.sequence)
        chosen = join(scores.at(action, scores.logits))
        with torch.no_grad():
            bonus = self.target.scale.differences(valued.total(self._bonus(observation, action), graphs))
            target = self._target(transitions, self._following(transitions), bonus)
        error = chosen - target
        loss = huber(error, valued.of_graphs(transitions.weight, graphs))
        norm = self.optimizer.step(loss)
        self.target.follow(self.policy, self.scale)
        metrics = {"value_loss": loss, "value": self.scale.values(chosen).mean(), "grad_norm": norm}
        return metrics, valued.mean(error.detach().abs(), graphs)

    @override
    def _worth(self, observation: Observation, graphs: Segments) -> Tensor:
        scores, join = self.read(self.target.network, observation)
        return self.target.scale.values(join(self._ahead(observation, scores)))

    # ---- of the scores that the target network gives, [D] each ----------------------------------------------------

    def _nothing(self, observation: Observation, action: Tensor) -> Tensor:
        return torch.zeros(action.shape, device=action.device)

    def _log_policy(self, observation: Observation, action: Tensor) -> Tensor:
        scores, _ = self.read(self.target.network, observation)
        log_policy = scores.tempered(self.config.temperature).log_prob(action)
        bonus = self.config.munchausen * munchausen_bonus(log_policy, self.config.temperature, self.config.least_log)
        if self.config.munchausen_of == "own":
            return bonus
        return mean_of_others(bonus, self.policy.actions.deciders(observation.graph))

    def _greatest(self, observation: Observation, scores: RaggedCategorical) -> Tensor:
        return scores.at(scores.mode, scores.logits)

    def _double(self, observation: Observation, scores: RaggedCategorical) -> Tensor:
        return scores.at(self.policy.distribution(observation).mode, scores.logits)

    def _soft(self, observation: Observation, scores: RaggedCategorical) -> Tensor:
        return soft_value(scores.logits, scores.segments, self.config.temperature)
