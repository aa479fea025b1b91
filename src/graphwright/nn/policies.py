"""Policies: an observation → a distribution over what it offers, and a value."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graphwright.core import ActionSpec, Decision, Features, Observation
from graphwright.distributions import Distribution
from graphwright.nn.actors import HeadsConfig, make_actor
from graphwright.nn.encoders import Encoder, EncoderConfig
from graphwright.nn.heads.graph import PooledValue


class GraphPolicy(nn.Module):
    """An actor and a critic over one encoder. It holds no size: any graph with the right columns will do."""

    def __init__(self, features: Features, actions: ActionSpec, encoder: EncoderConfig, heads: HeadsConfig) -> None:
        super().__init__()
        self.actions = actions
        self.encoder = Encoder(features, encoder)
        self.actor = make_actor(actions, self.encoder, heads)
        self.critic = PooledValue(self.encoder.width, heads.value_pool)

    def forward(self, observation: Observation) -> tuple[Distribution, Tensor]:
        """The distribution over what each graph offers and the value [B] of each graph."""
        embedding = self.encoder(observation.graph)
        return self.actor(embedding, observation), self.critic(embedding, observation.graph)

    def distribution(self, observation: Observation) -> Distribution:
        """The distribution over what each graph offers."""
        return self.actor(self.encoder(observation.graph), observation)

    def value(self, observation: Observation) -> Tensor:
        """[B]: the expected return of each graph."""
        return self.critic(self.encoder(observation.graph), observation.graph)

    @torch.no_grad()
    def act(self, observation: Observation, generator: torch.Generator | None = None) -> Decision:
        """One draw for each graph."""
        distribution = self.distribution(observation)
        action = distribution.sample(generator)
        return Decision(action, distribution.log_prob(action))

    @torch.no_grad()
    def best(self, observation: Observation) -> Tensor:
        """The most probable action of each graph: [B] int64, or [N, columns] float32 where actions are continuous."""
        return self.distribution(observation).mode
