"""Policies: an observation → a distribution over what it offers; with a critic, its value too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import ActionSpec, Chosen, Features, Observation
from graphwright.distributions import Distribution
from graphwright.nn.actors import HeadsConfig, make_actor, read_graph_width
from graphwright.nn.critics import DecisionValue, GraphValue
from graphwright.nn.encoders import Encoder, EncoderConfig

Values = Literal["graphs", "decisions"]
MakeCritic = Callable[[Encoder], nn.Module]
"""Of the encoder that it reads: a module that gives values [B] or [D] of an embedding and a graph."""


class Policy(nn.Module):
    """What decides: a distribution over what is offered, and what follows from it."""

    actions: ActionSpec

    def distribution(self, observation: Observation) -> Distribution:
        """The distribution over what each decision offers."""
        raise NotImplementedError

    @torch.no_grad()
    def act(self, observation: Observation, generator: torch.Generator | None = None) -> Chosen:
        """One draw for each decision."""
        distribution = self.distribution(observation)
        action = distribution.sample(generator)
        return Chosen(action, distribution.log_prob(action), self.actions.deciders(observation.graph))

    @torch.no_grad()
    def best(self, observation: Observation) -> Tensor:
        """The most probable action of each decision: [D] int64, or [D, columns] float32 where they are continuous."""
        return self.distribution(observation).mode


class GraphPolicy(Policy):
    """An actor over an encoder. It holds no size: any graph with the right columns will do."""

    def __init__(self, features: Features, actions: ActionSpec, encoder: EncoderConfig, heads: HeadsConfig) -> None:
        super().__init__()
        self.actions = actions
        self.encoder = Encoder(features, encoder)
        self.actor = make_actor(actions, self.encoder, heads)

    @override
    def distribution(self, observation: Observation) -> Distribution:
        return self.actor(self.encoder(observation.graph), observation)

    def acting_state(self) -> dict[str, Tensor]:
        """The tensors of encoder and actor: what a `GraphPolicy` loads, whatever it was trained with."""
        return self.state_dict()


class ActorCritic(GraphPolicy):
    """A `GraphPolicy` with a critic over the same encoder, so that one pass gives both.

    values: what has a value, each graph [B] or each decision [D]. make_critic: what else than the pooled graph the
    critic reads.
    """

    def __init__(
        self,
        features: Features,
        actions: ActionSpec,
        encoder: EncoderConfig,
        heads: HeadsConfig,
        values: Values = "graphs",
        make_critic: MakeCritic | None = None,
    ) -> None:
        super().__init__(features, actions, encoder, heads)
        self.values = values
        self.critic = (
            self._pooled_critic(heads, self.encoder.width) if make_critic is None else make_critic(self.encoder)
        )

    def _pooled_critic(self, heads: HeadsConfig, width: int) -> nn.Module:
        """Of embeddings of `width` columns a node."""
        pool = heads.value_pool
        graph_width = read_graph_width(self.encoder, heads)
        if self.values == "graphs":
            return GraphValue(width, pool, graph_width)
        return DecisionValue(self.actions.decider, width, self.encoder.edge_width, pool, graph_width)

    def forward(self, observation: Observation) -> tuple[Distribution, Tensor]:
        """The distribution over what each decision offers and the value of each graph [B] or decision [D]."""
        embedding = self.encoder(observation.graph)
        return self.actor(embedding, observation), self.critic(embedding, observation.graph)

    def value(self, observation: Observation) -> Tensor:
        """[B] or [D]: the expected return of each graph, or of each decider."""
        return self.critic(self.encoder(observation.graph), observation.graph)

    @override
    def acting_state(self) -> dict[str, Tensor]:
        return {name: tensor for name, tensor in self.state_dict().items() if not name.startswith("critic.")}


class ValuedPolicy(ActorCritic):
    """An `ActorCritic` whose value is needed where it acts, so that a run leaves the critic too."""

    @override
    def acting_state(self) -> dict[str, Tensor]:
        return self.state_dict()
