"""Policies of generative flow networks: forward, backward, and how much flows through a state."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation
from graphwright.distributions import RaggedCategorical
from graphwright.nn.actors import CategoricalActor
from graphwright.nn.columns import graph_columns
from graphwright.nn.critics import GraphValue
from graphwright.nn.encoders import EncoderConfig
from graphwright.nn.heads.choice import HeadsConfig
from graphwright.nn.policies import Policy
from graphwright.nn.pools import Pooling
from graphwright.nn.vectors import make_encoder

Masks = tuple[Tensor, ...]


class FlowEstimate(NamedTuple):
    """What the networks say of B states: distributions both ways; log_flow, log_count [B], where they are learned."""

    forward: RaggedCategorical
    backward: RaggedCategorical
    log_flow: Tensor | None
    log_count: Tensor | None


class LogZ(nn.Module):
    """log Z: one number, and where graphs have columns, such as conditions, a learned function of them added to it.

    constant: the number, which is set rather than learned by gradients.
    """

    constant: Tensor

    def __init__(self, width: int, graph_width: int) -> None:
        super().__init__()
        self.register_buffer("constant", torch.zeros(()))
        self.of_columns = None
        if graph_width:
            self.of_columns = nn.Sequential(nn.Linear(graph_width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, columns: Tensor | None) -> Tensor:
        """columns: [B, graph_width] or None; [B] or a scalar."""
        if self.of_columns is None or columns is None:
            return self.constant
        return self.constant + self.of_columns(columns).squeeze(1)


class FlowPolicy(Policy):
    """One encoder with a forward actor and, where they are learned, a backward actor, state flows and log Z.

    learned: which there are of "backward" (otherwise uniform over what may be taken back), "flow" (log F of states),
    "count" (log of the number of trajectories to a state) and "log_z" (log Z).
    """

    def __init__(
        self,
        features: Features,
        actions: ActionSpec,
        backward_actions: ActionSpec,
        encoder: EncoderConfig,
        heads: HeadsConfig,
        learned: frozenset[str],
    ) -> None:
        super().__init__()
        heads = replace(heads, graph_columns=True)  # conditions must be seen of graphs without nodes too
        self.actions = actions
        self.backward_actions = backward_actions
        self.encoder = make_encoder(features, encoder)
        self.actor = CategoricalActor(actions, self.encoder, heads)
        self.backward_actor = CategoricalActor(backward_actions, self.encoder, heads) if "backward" in learned else None
        width, graph_width = self.encoder.width, self.encoder.graph_width
        value_pool: Pooling = "mean" if self.encoder.places else heads.value_pool  # a vector is its own pool
        self.flow = GraphValue(width, value_pool, graph_width) if "flow" in learned else None
        self.log_z = LogZ(width, graph_width) if "log_z" in learned else None
        self.count = GraphValue(width, value_pool, graph_width) if "count" in learned else None

    def forward(self, graph: GraphBatch, masks: Masks, backward_masks: Masks) -> FlowEstimate:
        """graph: what `observe` shows of the states; masks: what may be done, and taken back, there."""
        embedding = self.encoder(graph)
        forward = self.actor(embedding, Observation(graph, masks))
        log_flow = self.flow(embedding, graph) if self.flow is not None else None
        log_count = self.count(embedding, graph) if self.count is not None else None
        if self.backward_actor is None:
            return FlowEstimate(forward, self.uniform_backward(graph, backward_masks), log_flow, log_count)
        backward = self.backward_actor(embedding, Observation(graph, backward_masks))
        return FlowEstimate(forward, backward, log_flow, log_count)

    def log_z_of(self, graph: GraphBatch, rows: Tensor) -> Tensor:
        """[S] or a scalar: log Z of what is built from those at `rows` [S] of `graph`, which are initial states."""
        assert self.log_z is not None
        columns = graph_columns(self.encoder.features, graph)
        return self.log_z(None if columns is None else columns.index_select(0, rows))

    @override
    def distribution(self, observation: Observation) -> RaggedCategorical:
        return self.actor(self.encoder(observation.graph), observation)

    def backward_distribution(self, graph: GraphBatch, masks: Masks) -> RaggedCategorical:
        """Over backward actions."""
        if self.backward_actor is None:
            return self.uniform_backward(graph, masks)
        return self.backward_actor(self.encoder(graph), Observation(graph, masks))

    def uniform_backward(self, graph: GraphBatch, masks: Masks) -> RaggedCategorical:
        """Every legal backward action alike."""
        layout = self.backward_actions.layout(graph)
        mask = layout.arrange(masks)
        return RaggedCategorical(torch.zeros(mask.shape, device=mask.device), layout.segments, mask)
