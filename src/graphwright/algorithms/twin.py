"""`TwinCritic`: actors with two Q-networks that learn from a replay, of which the more cautious one counts."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.ensemble import CriticEnsemble, least_of, squared_errors
from graphwright.algorithms.off_policy import OffPolicyAlgorithm, OffPolicyConfig, own_critic, require_several, scoring
from graphwright.algorithms.optimizer import AnnealedAdam
from graphwright.algorithms.target import Target
from graphwright.algorithms.valued import ValuedGraphs, each_decider
from graphwright.core import Observation
from graphwright.core.segment import Segments
from graphwright.data.replay import Transitions
from graphwright.data.samples import DECISIONS
from graphwright.distributions import RaggedCategorical
from graphwright.nn import GraphPolicy
from graphwright.nn.dueling import DuelingValues
from graphwright.nn.heads.choice import DeciderHead


@dataclass(frozen=True)
class TwinConfig(OffPolicyConfig):
    """What the settings of such algorithms have in common."""

    independent: bool = False
    """Whether each of several deciders has a value of its own though they share a reward, instead of one for all, by
    critics that see what the decider sees, and not the graph."""
    dueling: bool = True
    """Of candidates: whether Q is the sum of a value of the state and of advantages, which are centred over what is
    legal (Wang et al. 2016); otherwise the head's scores are Q."""


class Twin(OffPolicyAlgorithm):
    """What such algorithms have in common: what has a value."""

    remembers = True

    @override
    def valued_in(self, setup: Setup) -> ValuedGraphs:
        if not self.config.independent:
            return super().valued_in(setup)
        require_several(setup)
        return each_decider(setup.own_reward)


_ALONE: dict[DeciderHead, DeciderHead] = {"score": "own", "rivals": "own"}
"""Heads that see the graph, or neighbours' leads → what sees the decider alone."""


class TwinCritic(Twin):
    """An actor, two Q-networks and their targets; each has an encoder of its own.

    Subclasses say what a state is worth to the actor (`state_value`) and how the actor learns (`actor_loss`).
    """

    def __init__(self, config: TwinConfig, setup: Setup) -> None:
        super().__init__(config, setup)
        self.policy = scoring(GraphPolicy(setup.features, setup.actions, setup.encoder, setup.heads), setup)
        critics = [self._critic(setup) for _ in range(2)]
        self.critic = CriticEnsemble(critics, "distribution")
        self.target = Target(self.critic, config.target_rate, 1, self.scale)
        self.optimizer = AnnealedAdam(self.policy, config.learning_rate, config.max_grad_norm)
        self.critic_optimizer = AnnealedAdam(self.critic, config.learning_rate, config.max_grad_norm)

    def _critic(self, setup: Setup) -> Any:
        """A fresh network, whose scores are Q."""
        heads, critic = setup.heads, None
        if self.config.independent:
            heads, critic = replace(heads, deciders=_ALONE.get(heads.deciders, heads.deciders)), own_critic(setup)
        parts = setup.features, setup.actions, setup.encoder, heads
        network = DuelingValues(*parts, self.valued.values, critic) if self.config.dueling else GraphPolicy(*parts)
        return scoring(network, setup)

    @abstractmethod
    def state_value(self, policy: RaggedCategorical, values: Tensor) -> Tensor:
        """[D]: what a state is worth to each decision that `policy` takes; values: [K], of each candidate."""

    @abstractmethod
    def actor_loss(
        self, policy: RaggedCategorical, values: Tensor, action: Tensor, graphs: Segments
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """What the actor descends, and scalars to log. values: [K], of each candidate; action: [D], what was done."""

    @override
    def _step(self, transitions: Transitions) -> tuple[dict[str, Tensor], Tensor]:
        valued, decisions = self.valued, transitions.groups[DECISIONS]
        action, graphs = decisions.columns["action"], decisions.segments
        observation = self.observe(transitions.state)
        target = self._target(transitions, self._following(transitions))
        both = self.critic(observation)
        errors = [valued.total(values.at(action, values.logits), graphs) - target for values in both]
        weight = valued.of_graphs(transitions.weight, graphs)
        critic_loss = squared_errors(errors, weight)
        norm = self.critic_optimizer.step(critic_loss)
        values = self.scale.differences(least_of(both).detach())
        policy, _ = self.policy.read(observation, transitions.sequence)
        assert isinstance(policy, RaggedCategorical)
        actor_loss, metrics = self.actor_loss(policy, values, action, graphs)
        self.optimizer.step(actor_loss + self.distance(policy, observation))
        self.target.follow(self.critic, self.scale)
        metrics |= {"value_loss": critic_loss, "policy_loss": actor_loss, "grad_norm": norm}
        return metrics, valued.mean(torch.stack(errors).detach().abs().mean(0), graphs)

    @override
    def _worth(self, observation: Observation, graphs: Segments) -> Tensor:
        policy = self.policy.distribution(observation)
        assert isinstance(policy, RaggedCategorical)
        scale = self.target.scale
        values = scale.differences(self.target.network.least(observation))
        return self.valued.total(self.state_value(policy, values), graphs) + scale.origin
