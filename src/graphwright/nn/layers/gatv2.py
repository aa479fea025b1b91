"""GATv2."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graphwright.core import GraphBatch
from graphwright.nn.kernels import additive_attention
from graphwright.nn.layers.edge_projection import EdgeProjection
from graphwright.nn.layers.message_passing import Aggregation, AttentionLayer


class GATv2(AttentionLayer):
    """x_i ← W₁ x_i + Σ_j α_ij V x_j with α_ij = softmax_j a · LeakyReLU(Q x_i + V x_j + W_e e_ij).

    Brody et al. 2022 ("How attentive are graph attention networks?").
    """

    def __init__(self, width: int, edge_width: int = 0, aggregation: Aggregation = "sum", edge_types: int = 0) -> None:
        super().__init__(width, edge_width, aggregation, edge_types)
        self.query_value = nn.Linear(width, 2 * width)
        self.edge = EdgeProjection(edge_width, width)
        self.score = nn.Parameter(torch.empty(self.heads, self.channels))
        nn.init.xavier_uniform_(self.score)

    def attend(self, x: Tensor, edges: Tensor | None, graph: GraphBatch) -> Tensor:
        """Σ_j α_ij V x_j, [N, width]."""
        query_value = self.query_value(x).unflatten(1, (2, self.heads, self.channels))
        edges, weight = self.edge(edges, x, graph)
        return additive_attention(query_value, self.score, edges, weight, graph).flatten(1)
