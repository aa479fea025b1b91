"""The transformer over edges."""

from __future__ import annotations

from torch import Tensor, nn

from graphwright.core import GraphBatch
from graphwright.nn.kernels import dot_product_attention
from graphwright.nn.layers.edge_projection import EdgeProjection
from graphwright.nn.layers.message_passing import Aggregation, AttentionLayer


class Transformer(AttentionLayer):
    """x_i ← W₁ x_i + Σ_j α_ij (V x_j + W_e e_ij) with α_ij = softmax_j Q x_i · (K x_j + W_e e_ij) / √C.

    Shi et al. 2021 ("Masked label prediction: unified message passing model for semi-supervised classification").
    """

    def __init__(self, width: int, edge_width: int = 0, aggregation: Aggregation = "sum", edge_types: int = 0) -> None:
        super().__init__(width, edge_width, aggregation, edge_types)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.edge = EdgeProjection(edge_width, width)

    def attend(self, x: Tensor, edges: Tensor | None, graph: GraphBatch) -> Tensor:
        """Σ_j α_ij (V x_j + W_e e_ij), [N, width]."""
        query_key_value = self.query_key_value(x).unflatten(1, (3, self.heads, self.channels))
        edges, weight = self.edge(edges, x, graph)
        weight = weight.view(self.heads, self.channels, edges.shape[1])
        return dot_product_attention(query_key_value, edges, weight, graph).flatten(1)
