"""MADDPG: deterministic policy gradients of a team, through relaxed actions where these are discrete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.ensemble import CriticEnsemble, squared_errors
from graphwright.algorithms.multiagent.team import TeamSettings
from graphwright.algorithms.off_policy import OffPolicyAlgorithm, require_several, scoring
from graphwright.algorithms.optimizer import AnnealedAdam, require, require_each
from graphwright.algorithms.target import Target
from graphwright.algorithms.valued import ValuedDeciders, each_decider
from graphwright.core import Observation
from graphwright.core.segment import Segments
from graphwright.core.sequence import Sequence
from graphwright.data.replay import Transitions
from graphwright.data.samples import DECISIONS
from graphwright.distributions import Distribution, RaggedCategorical
from graphwright.functional.relaxed import one_hot, straight_through
from graphwright.nn import GraphPolicy
from graphwright.nn.action_values import JointValue
from graphwright.nn.individual import Individual, individual


@dataclass(frozen=True)
class MADDPGConfig(TeamSettings):
    """Settings of MADDPG."""

    options: ClassVar[str] = "maddpg"

    learning_rate: float = 1e-3
    """Of all networks at the beginning; it falls linearly to zero."""
    discount: float = 0.95
    """γ."""
    target_rate: float = 0.01
    """Part of the way that the target networks move to the others after each gradient step."""
    critics: int = 1
    """2: the smaller of two critics counts, and --maddpg.policy-period 2 makes TD3 of it."""
    policy_period: int = 1
    """Gradient steps of the critics for each of the policy."""
    own_heads: bool = False
    """Whether each place of a team has a head of its own in the critic, as published, up to --maddpg.max-agents."""
    temperature: float = 1.0
    """Of the relaxed actions, where these are discrete."""
    logit_coefficient: float = 1e-3
    """Weight of the squared logits of the policy, which keeps it from being certain too early."""
    max_grad_norm: float = 10.0
    """Gradients are clipped to this norm."""
    normalize_values: bool = False
    """Let critics speak in standard deviations of their targets, for returns that are large, or hardly differ."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no algorithm."""
        require("maddpg.critics", self.critics, 1, 2)
        require("maddpg.policy-period", self.policy_period)
        require("maddpg.temperature", self.temperature, 1e-6)
        require_each(self, "maddpg", ("learning_rate", "max_grad_norm", "logit_coefficient"), 0)
        require_each(self, "maddpg", ("discount", "target_rate"), 0, 1)

    @property
    @override
    def places(self) -> int | None:
        return self.max_agents if self.own_heads else super().places


class JointValues(CriticEnsemble):
    """One or two critics, each of which may have a set of weights for each identity."""

    def through_own(self, observation: Observation, action: Tensor) -> Tensor:
        """[D]: those of the first, whose gradients are those by each agent's own action; see `JointValue`."""
        first: Any = self.each[0]
        if isinstance(first, Individual):
            return first.ask("through_own", observation, action)
        return first.through_own(observation, action)


class MADDPG(OffPolicyAlgorithm):
    """MADDPG: critics of each agent that see all actions, and gradients through the agent's own (Lowe et al. 2017).

    Discrete actions are drawn by straight-through Gumbel-softmax (Jang, Gu, Poole 2017), continuous ones by the noise
    of the policy, which also explores. One pass gives all agents' gradients (`own_gradient`).
    """

    Config: ClassVar[type] = MADDPGConfig
    options = "maddpg"
    takes_continuous = True
    remembers = True

    def __init__(self, config: MADDPGConfig, setup: Setup) -> None:
        super().__init__(config, setup)
        require_several(setup)
        parts, device = (setup.features, setup.actions, setup.encoder), setup.generator.device
        policy = GraphPolicy(*parts, setup.heads).to(device)
        self.policy = policy if setup.actions.continuous else scoring(policy, setup)
        inputs, heads = config.team_inputs(setup), config.max_agents if config.own_heads else 1
        critics = [individual(*parts, lambda: JointValue(*parts, inputs, heads)) for _ in range(config.critics)]
        self.critic = JointValues(critics).to(device)
        self.target = Target(self.critic, config.target_rate, 1, self.scale)
        self.target_policy = Target(self.policy, config.target_rate, period=1)
        self.optimizer = AnnealedAdam(self.policy, config.learning_rate, config.max_grad_norm)
        self.critic_optimizer = AnnealedAdam(self.critic, config.learning_rate, config.max_grad_norm)
        self.generator = setup.generator
        self.inputs = inputs if config.own_heads else None

    @override
    def valued_in(self, setup: Setup) -> ValuedDeciders:
        return each_decider(setup.own_reward)

    @override
    def _step(self, transitions: Transitions) -> tuple[dict[str, Tensor], Tensor]:
        valued, decisions = self.valued, transitions.groups[DECISIONS]
        action, graphs = decisions.columns["action"], decisions.segments
        self._require_places(graphs)
        observation = self.observe(transitions.state)
        if not action.is_floating_point():
            action = one_hot(action, self.policy.actions.segments(observation.graph))
        target = self._target(transitions, self._following(transitions))
        errors = [values - target for values in self.critic(observation, action)]
        weight = valued.of_graphs(transitions.weight, graphs)
        critic_loss = squared_errors(errors, weight)
        norm = self.critic_optimizer.step(critic_loss)
        self.target.follow(self.critic, self.scale)
        metrics = {"value_loss": critic_loss, "grad_norm": norm}
        if int(self.target.calls) % self.config.policy_period == 0:
            metrics |= self._move(observation, transitions.sequence)
        return metrics, valued.mean(torch.stack(errors).detach().abs().mean(0), graphs)

    def _move(self, observation: Observation, sequence: Sequence | None) -> dict[str, Tensor]:
        """One gradient step of the policy: up the first critic, each agent through its own action."""
        policy, _ = self.policy.read(observation, sequence)
        values = self.critic.through_own(observation, self._relaxed(policy))
        loss = -values.mean() + self.config.logit_coefficient * _size(policy)
        self.optimizer.step(loss + self.distance(policy, observation))
        self.target_policy.follow(self.policy)
        return {"policy_loss": loss, "entropy": policy.entropy.mean()}

    @override
    def _worth(self, observation: Observation, graphs: Segments) -> Tensor:
        """[D]: of each agent, when all do what the target of the policy draws."""
        self._require_places(graphs)
        action = self._relaxed(self.target_policy.network.distribution(observation))
        return self.target.scale.values(self.target.network.least(observation, action))

    def _relaxed(self, policy: Distribution) -> Tensor:
        """A draw that passes gradients: [K], or [D, columns]."""
        if isinstance(policy, RaggedCategorical):
            return straight_through(policy.logits, policy.segments, self.config.temperature, self.generator)
        return policy.sample(self.generator)

    def _require_places(self, graphs: Segments) -> None:
        """Raise ValueError, naming the option, where an agent has no head in the critic."""
        if self.inputs is not None:
            self.inputs.require_places(graphs)


def _size(policy: Distribution) -> Tensor:
    """Mean square of the logits of what is legal; 0 where there are none."""
    if not isinstance(policy, RaggedCategorical):
        return torch.zeros(())
    legal = policy.legal
    return policy.logits.masked_fill(~legal, 0).square().sum() / legal.sum().clamp(min=1)
