"""Soft actor-critic for real-valued actions (Haarnoja et al. 2018), with a learned temperature."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.ensemble import CriticEnsemble, squared_errors
from graphwright.algorithms.optimizer import AnnealedAdam
from graphwright.algorithms.sac_config import SACConfig, Temperature
from graphwright.algorithms.target import Target
from graphwright.algorithms.twin import Twin
from graphwright.core import Observation
from graphwright.core.rows import NODES
from graphwright.core.segment import Segments, segment_sum
from graphwright.data.replay import Transitions
from graphwright.data.samples import DECISIONS
from graphwright.nn import GraphPolicy
from graphwright.nn.critics import DecisionValue, OwnActionValue
from graphwright.nn.heads.choice import read_graph_width
from graphwright.nn.individual import individual
from graphwright.nn.recurrent import encoder_of

_ACTION = "chosen_action"
"""Node column [N, C] float32 that the critics see beside the others."""


class ActionValue(nn.Module):
    """Q of what each node decides, with what all others decide as a column: [D]. Raises ValueError where edges do."""

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        if setup.actions.decider != NODES:
            raise ValueError(f"--algorithm {setup.name}: real-valued actions of nodes only; take ppo")
        columns = setup.actions.blocks[0].columns
        features = replace(setup.features, nodes={**setup.features.nodes, _ACTION: columns})
        self.encoder = encoder_of(features, setup.encoder, setup.actions.decider)
        width, edge_width, heads = self.encoder.width, self.encoder.edge_width, setup.heads
        graph_width = read_graph_width(self.encoder, heads)
        self.value = DecisionValue(setup.actions.decider, width, edge_width, heads.value_pool, graph_width)

    @override
    def forward(self, observation: Observation, action: Tensor) -> Tensor:
        """action: [D, C] float32."""
        graph = observation.graph
        row, _ = graph.acting_nodes
        nothing = action.new_zeros(graph.num_nodes, action.shape[1])
        graph = graph.with_nodes(**{_ACTION: nothing.index_copy(0, row, action)})
        return self.value(self.encoder(graph), graph)


class IndependentActionValue(nn.Module):
    """Q of what each decider does, of what it sees and does itself alone: [D]."""

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        self.encoder = encoder_of(setup.features, setup.encoder, setup.actions.decider)
        columns = setup.actions.blocks[0].columns
        self.value = OwnActionValue(setup.actions.decider, self.encoder.width, self.encoder.edge_width, columns)

    @override
    def forward(self, observation: Observation, action: Tensor) -> Tensor:
        """action: [D, C] float32."""
        return self.value(self.encoder(observation.graph), observation.graph, action)


class ContinuousSAC(Twin):
    """Soft actor-critic from a replay for real-valued actions: gradients flow through the draws of the actor.

    What the decisions of a graph are worth adds up where they share its reward.
    """

    Config = SACConfig
    options = "sac"
    takes_continuous = True

    def __init__(self, config: SACConfig, setup: Setup) -> None:
        super().__init__(config, setup)
        device = setup.generator.device
        self.policy = GraphPolicy(setup.features, setup.actions, setup.encoder, setup.heads).to(device)
        parts = setup.features, setup.actions, setup.encoder
        critic = IndependentActionValue if config.independent else ActionValue
        self.critic = CriticEnsemble(individual(*parts, lambda: critic(setup)) for _ in range(2)).to(device)
        self.target = Target(self.critic, config.target_rate, 1, self.scale)
        self.temperature = Temperature(config.temperature).to(device)
        self.optimizer, self.critic_optimizer, self.temperature_optimizer = (
            AnnealedAdam(part, config.learning_rate, config.max_grad_norm)
            for part in (self.policy, self.critic, self.temperature)
        )
        self.generator = setup.generator
        self.columns = setup.actions.blocks[0].columns

    @override
    def _step(self, transitions: Transitions) -> tuple[dict[str, Tensor], Tensor]:
        valued, decisions = self.valued, transitions.groups[DECISIONS]
        action, graphs = decisions.columns["action"], decisions.segments
        observation = self.observe(transitions.state)
        acts = observation.masks[0]
        target = self._target(transitions, self._following(transitions))
        errors = [valued.total(value * acts, graphs) - target for value in self.critic(observation, action)]
        weight = valued.of_graphs(transitions.weight, graphs)
        critic_loss = squared_errors(errors, weight)
        norm = self.critic_optimizer.step(critic_loss)
        policy, _ = self.policy.read(observation, transitions.sequence)
        temperature = self.temperature.log.exp().detach()
        drawn = policy.sample(self.generator)
        log_prob = policy.log_prob(drawn)
        worth = self.scale.differences(self.critic.least(observation, drawn)) - temperature * log_prob
        loss = -segment_sum(worth * acts, graphs).mean()
        self.optimizer.step(loss + self.distance(policy, observation))
        excess = (-log_prob.detach() - self.config.entropy_per_number * self.columns) * acts
        self.temperature_optimizer.step(self.temperature.log * excess.sum() / acts.sum().clamp(min=1))
        self.target.follow(self.critic, self.scale)
        metrics = {
            "value_loss": critic_loss,
            "policy_loss": loss,
            "grad_norm": norm,
            "entropy": -log_prob.mean(),
            "temperature": temperature,
        }
        return metrics, valued.mean(torch.stack(errors).detach().abs().mean(0), graphs)

    @override
    def _worth(self, observation: Observation, graphs: Segments) -> Tensor:
        """[R]: min Q(s′, a′) − α log π(a′ | s′) of drawn actions by the target networks."""
        policy = self.policy.distribution(observation)
        drawn = policy.sample(self.generator)
        soft = -self.temperature.log.exp() * policy.log_prob(drawn)
        scale = self.target.scale
        values = scale.differences(self.target.network.least(observation, drawn)) + soft
        return self.valued.total(values * observation.masks[0], graphs) + scale.origin
