"""Policies: an observation → a distribution over what it offers; with a critic, its value too."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import ActionSpec, Decision, Features, Observation
from graphwright.distributions import Distribution
from graphwright.nn.actors import HeadsConfig, make_actor
from graphwright.nn.critics import GraphValue
from graphwright.nn.encoders import Encoder, EncoderConfig


class GraphPolicy(nn.Module):
    """An actor over an encoder. It holds no size: any graph with the right columns will do."""

    def __init__(self, features: Features, actions: ActionSpec, encoder: EncoderConfig, heads: HeadsConfig) -> None:
        super().__init__()
        self.actions = actions
        self.encoder = Encoder(features, encoder)
        self.actor = make_actor(actions, self.encoder, heads)

    def distribution(self, observation: Observation) -> Distribution:
        """The distribution over what each graph offers."""
        return self.actor(self.encoder(observation.graph), observation)

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

    def acting_state(self) -> dict[str, Tensor]:
        """The tensors of encoder and actor: what a `GraphPolicy` loads, whatever it was trained with."""
        return self.state_dict()


class ActorCritic(GraphPolicy):
    """A `GraphPolicy` with a critic over the same encoder, so that one pass gives both."""

    def __init__(self, features: Features, actions: ActionSpec, encoder: EncoderConfig, heads: HeadsConfig) -> None:
        super().__init__(features, actions, encoder, heads)
        graph_width = self.encoder.graph_width * heads.graph_columns
        self.critic = GraphValue(self.encoder.width, heads.value_pool, graph_width)

    def forward(self, observation: Observation) -> tuple[Distribution, Tensor]:
        """The distribution over what each graph offers and the value [B] of each graph."""
        embedding = self.encoder(observation.graph)
        return self.actor(embedding, observation), self.critic(embedding, observation.graph)

    def value(self, observation: Observation) -> Tensor:
        """[B]: the expected return of each graph."""
        return self.critic(self.encoder(observation.graph), observation.graph)

    @override
    def acting_state(self) -> dict[str, Tensor]:
        return {name: tensor for name, tensor in self.state_dict().items() if not name.startswith("critic.")}
