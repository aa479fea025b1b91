"""Policies: an observation → a distribution over what it offers; with a critic, its value too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import ActionSpec, Chosen, Features, Observation
from graphwright.core.sequence import Sequence
from graphwright.distributions import Distribution
from graphwright.nn.actors import make_actor
from graphwright.nn.critics import DecisionValue, GraphValue
from graphwright.nn.encoders import EncoderConfig
from graphwright.nn.heads.choice import HeadsConfig, read_graph_width
from graphwright.nn.individual import Encoders, Individual, OnItsOwn
from graphwright.nn.recurrent import encoder_of

Values = Literal["graphs", "decisions"]
MakeCritic = Callable[[Any], nn.Module]
"""Of the encoder that it reads, of any kind: a module that gives values [B] or [D] of an embedding and a graph."""


class Policy(nn.Module):
    """What decides: a distribution over what is offered, and what follows from it."""

    actions: ActionSpec

    def distribution(self, observation: Observation) -> Distribution:
        """The distribution over what each decision offers."""
        raise NotImplementedError

    def read(self, observation: Observation, sequence: Sequence | None = None) -> tuple[Distribution, Tensor | None]:
        """The distribution, and what is remembered from now on [N, H], None where nothing is.

        sequence: of steps in one batch, what goes on where; None: each begins with the memory that is observed.
        """
        return self.distribution(observation), None

    @torch.no_grad()
    def act(self, observation: Observation, generator: torch.Generator | None = None, draw: bool = True) -> Chosen:
        """One draw for each decision; or, where `draw` is false, the most probable action."""
        distribution, memory = self.read(observation)
        action = distribution.sample(generator) if draw else distribution.mode
        return Chosen(action, distribution.log_prob(action), self.actions.deciders(observation.graph), memory)

    @torch.no_grad()
    def best(self, observation: Observation) -> Tensor:
        """The most probable action of each decision: [D] int64, or [D, columns] float32 where they are continuous."""
        return self.distribution(observation).mode


class GraphPolicy(Policy):
    """An actor over an encoder. It holds no size: any graph with the right columns will do."""

    def __init__(self, features: Features, actions: ActionSpec, encoder: EncoderConfig, heads: HeadsConfig) -> None:
        super().__init__()
        self.actions = actions
        self.encoder: Any = _policy_encoder(features, actions, encoder)
        self.actor: nn.Module = (
            Individual(actions, [make_actor(actions, each, heads) for each in self.encoder.each])
            if isinstance(self.encoder, Encoders)
            else make_actor(actions, self.encoder, heads)
        )

    @override
    def distribution(self, observation: Observation) -> Distribution:
        return self.read(observation)[0]

    @override
    def read(self, observation: Observation, sequence: Sequence | None = None) -> tuple[Distribution, Tensor | None]:
        embedding = self.embed(observation, sequence)
        return self.actor(embedding, observation), embedding.memory

    @property
    def remembers(self) -> bool:
        """Whether its agents remember, so that it learns from steps in their order."""
        return bool(self.encoder.remembers)

    def embed(self, observation: Observation, sequence: Sequence | None = None) -> Any:
        """What the encoder makes of the observed graphs."""
        return self.encoder(observation.graph) if sequence is None else self.encoder(observation.graph, sequence)

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
        make = make_critic or (lambda encoder: self._pooled_critic(heads, encoder.width))
        self.critic: nn.Module
        if not isinstance(self.encoder, Encoders):
            self.critic = make(self.encoder)
        elif values == "decisions":
            self.critic = Individual(actions, [make(each) for each in self.encoder.each])
        else:
            own = encoder_of(features, encoder, actions.decider)
            self.critic = OnItsOwn(own, make(own))

    def _pooled_critic(self, heads: HeadsConfig, width: int) -> nn.Module:
        """Of embeddings of `width` columns a node."""
        pool = heads.value_pool
        graph_width = read_graph_width(self.encoder, heads)
        if self.values == "graphs":
            return GraphValue(width, pool, graph_width)
        return DecisionValue(self.actions.decider, width, self.encoder.edge_width, pool, graph_width)

    def forward(self, observation: Observation, sequence: Sequence | None = None) -> tuple[Distribution, Tensor]:
        """The distribution over what each decision offers and the value of each graph [B] or decision [D]."""
        embedding = self.embed(observation, sequence)
        return self.actor(embedding, observation), self.critic(embedding, observation.graph)

    def value(self, observation: Observation) -> Tensor:
        """[B] or [D]: the expected return of each graph, or of each decider."""
        return self.critic(self.encoder(observation.graph), observation.graph)

    @override
    def acting_state(self) -> dict[str, Tensor]:
        return {name: tensor for name, tensor in self.state_dict().items() if not name.startswith("critic.")}


def _policy_encoder(features: Features, actions: ActionSpec, config: EncoderConfig) -> Any:
    """One for all agents or one for each, of what they see or of what they remember too."""
    if config.individual:
        return Encoders(features, actions, config)
    return encoder_of(features, config, actions.decider)


class ValuedPolicy(ActorCritic):
    """An `ActorCritic` whose value is needed where it acts, so that a run leaves the critic too."""

    @override
    def acting_state(self) -> dict[str, Tensor]:
        return self.state_dict()
