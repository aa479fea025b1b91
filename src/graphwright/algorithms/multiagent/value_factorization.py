"""IQL, VDN and QMIX: deep Q-learning of teams, with three mixers of the agents' values."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.multiagent.team import TeamSettings
from graphwright.algorithms.off_policy import require_several, scoring
from graphwright.algorithms.optimizer import require
from graphwright.algorithms.q_learning import QLearning, QLearningConfig
from graphwright.algorithms.valued import ValuedDeciders, ValuedGraphs, each_decider
from graphwright.core import Observation
from graphwright.core.sequence import Sequence
from graphwright.distributions import RaggedCategorical
from graphwright.nn.mixers import MixedPolicy, Mixer, Monotone, Separate, Sum


@dataclass(frozen=True)
class IQLConfig(QLearningConfig):
    """Settings of IQL."""

    options: ClassVar[str] = "iql"

    learning_rate: float = 1e-3
    """At the beginning; it falls linearly to zero."""
    discount: float = 0.95
    """γ."""


@dataclass(frozen=True)
class VDNConfig(IQLConfig):
    """Settings of VDN."""

    options: ClassVar[str] = "vdn"


@dataclass(frozen=True)
class QMIXConfig(IQLConfig, TeamSettings):
    """Settings of QMIX."""

    options: ClassVar[str] = "qmix"

    hidden: int = 32
    """Width of the mixer's hidden layer."""
    shared: bool = False
    """Whether the mixer reads the team through the agents' encoder instead of one of its own, which is less work."""

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        require("qmix.hidden", self.hidden)


class MixedValues(QLearning):
    """Q-learning whose target is r + γ · mixer(q′): q′ is the target network's value of each agent's next best action.

    Subclasses say which mixer, and whether graphs or deciders have a value.
    """

    policy: MixedPolicy

    @abstractmethod
    def mixer(self, setup: Setup) -> Mixer:
        """A fresh one."""

    @override
    def valued_in(self, setup: Setup) -> ValuedGraphs:
        return ValuedGraphs()

    @override
    def network(self, setup: Setup) -> Any:
        require_several(setup)
        parts = setup.features, setup.actions, setup.encoder, setup.heads
        return scoring(MixedPolicy(*parts, self.mixer(setup)), setup)

    @override
    def read(
        self, network: Any, observation: Observation, sequence: Sequence | None = None
    ) -> tuple[RaggedCategorical, Callable[[Tensor], Tensor]]:
        embedding = network.embed(observation, sequence)
        values = network.actor(embedding, observation)
        assert isinstance(values, RaggedCategorical)  # `build` has asked for it
        return values, partial(network.mixer, graph=observation.graph, embedding=embedding)


class IQL(MixedValues):
    """Independent Q-learning: each agent's own value, of its own reward or of the team's (Tan 1993).

    An agent's value follows `successor` and ends where it is gone, though its team may earn more.
    """

    Config = IQLConfig
    options = "iql"

    @override
    def valued_in(self, setup: Setup) -> ValuedDeciders:
        return each_decider(setup.own_reward)

    @override
    def mixer(self, setup: Setup) -> Mixer:
        return Separate()


class VDN(MixedValues):
    """Value-decomposition networks: the values of a team's agents add up (Sunehag et al. 2018)."""

    Config = VDNConfig
    options = "vdn"

    @override
    def mixer(self, setup: Setup) -> Mixer:
        return Sum(setup.actions)


class QMIX(MixedValues):
    """QMIX: a monotone mixer, whose weights are made of the pooled graph (Rashid et al. 2018)."""

    Config = QMIXConfig
    options = "qmix"

    @override
    def mixer(self, setup: Setup) -> Mixer:
        config, inputs = self.config, self.config.team_inputs(setup)
        if config.shared and setup.encoder.individual:
            raise ValueError(
                f"--{config.options}.shared: agents with encoders of their own (--encoder.individual) share none"
            )
        parts = setup.features, setup.actions, setup.encoder
        return Monotone(*parts, inputs, config.hidden, own=not config.shared)
