"""What algorithms share that learn from steps by the advantages of a critic."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, Self, TypeVar

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import MinibatchAlgorithm, MinibatchSettings, Observe, Setup, actor_critic
from graphwright.algorithms.rewards import RewardSettings, make_rewards
from graphwright.algorithms.value_scale import RunningScale, ValueScale
from graphwright.core.segment import Segments
from graphwright.data.chains import decision_chain, state_chain
from graphwright.data.rollout import Rollout
from graphwright.functional.returns import above_group, generalized_advantage
from graphwright.functional.value import explained_variance
from graphwright.nn import ActorCritic
from graphwright.nn.policies import MakeCritic, Values


class AdvantageSettings(MinibatchSettings, RewardSettings, Protocol):
    """What the settings of such algorithms have."""

    @property
    def gae_lambda(self) -> float:
        """λ of generalised advantage estimation."""

    @property
    def normalize_values(self) -> bool:
        """Whether the critic speaks in standard deviations of its targets."""


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
        self.scale = (RunningScale() if config.normalize_values else ValueScale()).to(generator.device)

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
        """Advantages, and what the critic is to say, from one pass of it over all states: [T · B] each, or [Q] (`own`).

        Also what is to be logged of them. Where episodes meet the same chance, an advantage is what it is above that of
        the others of its group at the same time.
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
        target = advantage + value
        metrics = self.rewards.learn(chain.reward, next_value, value)
        metrics["explained_variance"] = explained_variance(value, target)
        if rollout.copies > 1:
            advantage = above_group(advantage, rollout.action.states if self.own else None, rollout.copies)
        return advantage, self.scale.targets(target), metrics

    @torch.no_grad()
    def _values(self, rollout: Rollout) -> tuple[Tensor, Segments]:
        """The value of every state [R], or of every decision in them; and the decisions of each state (→ R)."""
        rows = torch.arange(rollout.states.num_states, device=rollout.reward.device)
        values, lengths = [], []
        for piece in rows.split(self.config.minibatch_size):  # to bound memory
            observation = self.observe(rollout.states.select(piece))
            values.append(self.scale.values(self.policy.value(observation)))
            lengths.append(self.policy.actions.deciders(observation.graph).lengths)
        return torch.cat(values), Segments.from_lengths(torch.cat(lengths))
