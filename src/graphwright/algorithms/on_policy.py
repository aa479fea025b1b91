"""What algorithms share that learn from steps by the advantages of a critic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import MinibatchAlgorithm, Observe, Setup, actor_critic
from graphwright.algorithms.optimizer import require_each
from graphwright.algorithms.rewards import DifferentialRewards, DiscountedRewards, Returns
from graphwright.algorithms.sequences import pieces_of, sequence_of
from graphwright.algorithms.value_scale import EACH_UPDATE, value_scale
from graphwright.core import Observation
from graphwright.core.segment import Segments
from graphwright.data.chains import decision_chain, state_chain
from graphwright.data.rollout import Rollout
from graphwright.distributions import Distribution
from graphwright.functional.returns import above_group, generalized_advantage
from graphwright.functional.value import explained_variance
from graphwright.nn import ActorCritic
from graphwright.nn.policies import MakeCritic, Values


@dataclass(frozen=True)
class AdvantageConfig:
    """What the settings of such algorithms have in common."""

    options: ClassVar[str]

    learning_rate: float = 2e-3
    """At the beginning; it falls linearly to zero."""
    minibatch_size: int = 1024
    """States of each gradient step."""
    discount: float = 1.0
    """γ; episodes are finite, and undiscounted costs are what is compared."""
    returns: Returns = "discounted"
    """What the value of a state is: discounted rewards, or, of what never ends, rewards above their average."""
    rate_step: float = 0.1
    """Of average returns: step size of the average reward, each update."""
    gae_lambda: float = 1.0
    """λ of generalised advantage estimation; episodes are short, and a smaller one trusts an untrained critic."""
    normalize_values: bool = False
    """Let the critic speak in standard deviations of its targets, for returns that are large or of unknown size."""
    value_coefficient: float = 2.0
    """Weight of the value loss."""
    entropy_coefficient: float = 0.0
    """Weight of the entropy bonus."""
    max_grad_norm: float = 2.0
    """Gradients are clipped to this norm."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no algorithm."""
        require_each(self, self.options, ("minibatch_size",))
        require_each(self, self.options, ("learning_rate", "value_coefficient", "max_grad_norm"), 0)
        require_each(self, self.options, ("discount", "gae_lambda", "rate_step"), 0, 1)


Settings = TypeVar("Settings", bound=AdvantageConfig)


class AdvantageAlgorithm(MinibatchAlgorithm[Settings]):
    """An actor and a critic over one encoder. Subclasses say how they learn, and may say what has a value.

    `values_in` says whether each graph has one or each decision, `critic_in` what the critic reads.
    """

    Config: ClassVar[type]
    policy: ActorCritic
    remembers = True
    _decisions: Segments

    def __init__(self, policy: ActorCritic, observe: Observe, config: Settings, generator: torch.Generator) -> None:
        super().__init__(policy, observe, config, generator)
        average = config.returns == "average"
        rewards = DifferentialRewards(config.rate_step) if average else DiscountedRewards(config.discount)
        self.rewards = rewards.to(generator.device)
        self.scale = value_scale(config.normalize_values, EACH_UPDATE).to(generator.device)

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
        self._decisions = states
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

    def pieces(self, rollout: Rollout) -> list[Tensor]:
        """Rows of the states that were acted in, in minibatches."""
        return pieces_of(rollout, self.policy, self.config.minibatch_size, self.generator)

    def assess(self, rollout: Rollout, rows: Tensor, observation: Observation) -> tuple[Distribution, Tensor]:
        """What the policy and its critic say of the states at `rows`, one of the `pieces`, as they are observed.

        Call it after `advantages` of the same rollout.
        """
        return self.policy(observation, sequence_of(rollout, self.policy, rows, self._decisions))

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
