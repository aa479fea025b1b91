"""Deep Q-networks: DQN (Mnih et al. 2015, "Human-level control through deep reinforcement learning")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.off_policy import scoring
from graphwright.algorithms.q_learning import QLearning, QLearningConfig
from graphwright.core import Observation
from graphwright.core.sequence import Sequence
from graphwright.distributions import RaggedCategorical
from graphwright.functional.q_learning import centred
from graphwright.nn import ActorCritic, GraphPolicy


@dataclass(frozen=True)
class DQNConfig(QLearningConfig):
    """Settings of DQN."""

    options: ClassVar[str] = "dqn"

    dueling: bool = True
    """Whether Q is the sum of a value of the state and of advantages, which are centred over what is legal (Wang et al.
    2016); otherwise the head's scores are Q."""


class DQN(QLearning):
    """Q-learning with networks that are dueling by default.

    Several decisions of a graph that share its reward add up to one value: V(s) + Σ_d A_d, or Σ_d Q_d (Sunehag et al.
    2018, "Value-decomposition networks"); deciders with rewards of their own have values of their own.
    """

    Config = DQNConfig
    options = "dqn"

    @override
    def network(self, setup: Setup) -> Any:
        parts = setup.features, setup.actions, setup.encoder, setup.heads
        return scoring(ActorCritic(*parts, self.valued.values) if self.config.dueling else GraphPolicy(*parts), setup)

    @override
    def read(
        self, network: Any, observation: Observation, sequence: Sequence | None = None
    ) -> tuple[RaggedCategorical, Callable[[Tensor], Tensor]]:
        graphs = self.policy.actions.deciders(observation.graph)
        if not self.config.dueling:
            scores, _ = network.read(observation, sequence)
            return scores, lambda chosen: self.valued.total(chosen, graphs)
        scores, value = network(observation, sequence)
        assert isinstance(scores, RaggedCategorical)  # `scoring` has asked for it
        advantage = RaggedCategorical(centred(scores.logits, scores.segments), scores.segments)
        return advantage, lambda chosen: value + self.valued.total(chosen, graphs)
