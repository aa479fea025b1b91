"""Policies: an observation → a distribution over its candidates, and a value."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from graphwright.core import ActionSpec, Decision, Features, Observation
from graphwright.distributions import RaggedCategorical
from graphwright.nn.encoders import Encoder, EncoderConfig
from graphwright.nn.heads import NodeScore, PooledValue
from graphwright.nn.pools import Pooling


@dataclass(frozen=True)
class HeadsConfig:
    """What the heads see of a whole graph."""

    pool: Pooling = "mean"
    """Pool behind the score of a candidate."""
    value_pool: Pooling = "sum"
    """Pool behind the value of a state; costs add up over nodes, and so do embeddings."""


class GraphPolicy(nn.Module):
    """An actor and a critic over one encoder. It holds no size: any graph with the right columns will do."""

    def __init__(self, features: Features, actions: ActionSpec, encoder: EncoderConfig, heads: HeadsConfig) -> None:
        super().__init__()
        self.actions = actions
        self.encoder = Encoder(features, encoder)
        width = encoder.width
        headless = [block.name for block in actions.blocks if block.rows != "nodes"]
        if headless:
            raise ValueError(f"action {headless[0]!r} is not tied to nodes, and there is no head for it yet")
        self.heads = nn.ModuleList(NodeScore(width, block.columns, heads.pool) for block in actions.blocks)
        self.critic = PooledValue(width, heads.value_pool)

    def forward(self, observation: Observation) -> tuple[RaggedCategorical, Tensor]:
        """The distribution over each graph's candidates and the value [B] of each graph."""
        embedding = self.encoder(observation.graph)
        return self._distribution(observation, embedding), self.critic(embedding, observation.graph)

    def distribution(self, observation: Observation) -> RaggedCategorical:
        """The distribution over each graph's candidates."""
        return self._distribution(observation, self.encoder(observation.graph))

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
        """[B] int64: the most probable action of each graph."""
        return self.distribution(observation).mode

    def _distribution(self, observation: Observation, embedding: Tensor) -> RaggedCategorical:
        graph = observation.graph
        scores = [head(embedding, graph) for head in self.heads]
        return RaggedCategorical(
            self.actions.arrange(graph, scores),
            self.actions.segments(graph),
            self.actions.arrange(graph, observation.masks),
        )
