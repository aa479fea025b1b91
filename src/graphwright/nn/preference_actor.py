"""An actor that values each candidate for several objectives, and prefers what is worth most by given weights."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import ActionSpec, GraphBatch, Observation
from graphwright.core.timestep import PREFERENCE
from graphwright.distributions import PreferenceCategorical
from graphwright.nn.actors import HeadsConfig, make_head, require_scores
from graphwright.nn.encoders import Embedding, Encoder


class PreferenceActor(nn.Module):
    """Q of each candidate for K objectives, and one softmax of w · Q / temperature for each graph.

    w: the graph column `preference` [B, K], or 1 / K each. Heads give the K values of a candidate as they would give
    the scores of K candidates, so that any head will do whose scores of different columns are free numbers.

    Raises ValueError, naming the option, for another.
    """

    def __init__(
        self, actions: ActionSpec, encoder: Encoder, config: HeadsConfig, num_objectives: int, temperature: float
    ) -> None:
        super().__init__()
        self.actions = actions
        self.num_objectives = num_objectives
        self.temperature = temperature
        wide = [replace(block, columns=block.columns * num_objectives) for block in actions.blocks]
        self.heads = nn.ModuleList(make_head(block, actions.decider, encoder, config) for block in wide)
        require_scores(actions, self.heads, config, "values of several objectives")

    @override
    def forward(self, embedding: Embedding, observation: Observation) -> PreferenceCategorical:
        graph, masks = observation.graph, observation.masks
        layout = self.actions.layout(graph)
        values = torch.cat(
            [
                head(embedding, graph, self._widened(mask)).reshape(-1, self.num_objectives)
                for head, mask in zip(self.heads, masks, strict=True)
            ]
        )
        values = values if layout.order is None else values.index_select(0, layout.order)
        return PreferenceCategorical(
            values, self._weights(graph), layout.segments, layout.arrange(masks), self.temperature
        )

    def _widened(self, mask: Tensor) -> Tensor:
        """[rows] or [rows, columns] → [rows, columns · K]."""
        return mask.unsqueeze(-1).expand(*mask.shape, self.num_objectives).flatten(1)

    def _weights(self, graph: GraphBatch) -> Tensor:
        """[B, K]."""
        if PREFERENCE in graph.graphs:
            return graph.graphs[PREFERENCE]
        count = self.num_objectives
        return torch.full((graph.num_graphs, count), 1 / count, device=graph.device)
