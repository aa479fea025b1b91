"""What algorithms share that learn from steps by the advantages of a critic."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, Self, TypeVar

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import MinibatchAlgorithm, MinibatchSettings, Observe, Setup, actor_critic
from graphwright.algorithms.rewards import RewardSettings, make_rewards
from graphwright.core.segment import Segments
from graphwright.data.chains import decision_chain, state_chain
from graphwright.data.rollout import Rollout
from graphwright.functional.returns import generalized_advantage
from graphwright.nn import ActorCritic
from graphwright.nn.policies import MakeCritic, Values


class AdvantageSettings(MinibatchSettings, RewardSettings, Protocol):
    """What the settings of such algorithms have."""

    @property
    def gae_lambda(self) -> float:
        """λ of generalised advantage estimation."""


Settings = TypeVar("Settings", bound=AdvantageSettings)


class AdvantageAlgorithm(MinibatchAlgorithm[Settings]):
    """An actor and a critic over one encoder. Subclasses say how they learn, and may say what has a value.

    `values_in` says whether each graph has one or each decision, `critic_in` what the critic reads.
    """

    Config: ClassVar[type]
    policy: ActorCritic

    def __init__(self, policy: ActorCritic, observe: Observe, config: Settings, generator: torch.Generator) -> None:
        super().__init__(policy, observe, config, generator)
        self.rewards = make_rewards(config).to(generator.device)

    @classmethod
    def values_in(cls, config: Any, setup: Setup) -> Values:
        """What has a value."""
        return "graphs"

    @classmethod
    def critic_in(cls, config: Any, setup: Setup) -> MakeCritic | None:
        """What makes the critic; None: the one that reads the pooled graph."""
        return None

    @classmethod
    @override
    def build(cls, config: Settings, setup: Setup) -> Self:
        policy = actor_critic(setup, cls.values_in(config, setup), cls.critic_in(config, setup))
        return cls(policy, setup.environment.observe, config, setup.generator)

    @property
    def own(self) -> bool:
        """Whether each decision has an advantage and a value of its own."""
        return self.policy.values == "decisions"

    def advantages(self, rollout: Rollout) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Advantages and value targets from one pass of the critic over all states: [T · B] each, or [Q] (`own`).

        Also what is to be logged of them.
        """
        values, states = self._values(rollout)
        chain = decision_chain(rollout, states) if self.own else state_chain(rollout)
        value = values[: chain.reward.numel()]
        next_value = chain.following(values)
        advantage = generalized_advantage(
            self.rewards.above(chain.reward),
            value,
            next_value,
            chain.carry_row,
            chain.steps,
            discount=self.rewards.discount,
            gae_lambda=self.config.gae_lambda,
        )
        return advantage, advantage + value, self.rewards.learn(chain.reward, next_value, value)

    @torch.no_grad()
    def _values(self, rollout: Rollout) -> tuple[Tensor, Segments]:
        """The value of every state [R], or of every decision in them; and the decisions of each state (→ R)."""
        rows = torch.arange(rollout.states.num_states, device=rollout.reward.device)
        values, lengths = [], []
        for piece in rows.split(self.config.minibatch_size):  # to bound memory
            observation = self.observe(rollout.states.select(piece))
            values.append(self.policy.value(observation))
            lengths.append(self.policy.actions.deciders(observation.graph).lengths)
        return torch.cat(values), Segments.from_lengths(torch.cat(lengths))
