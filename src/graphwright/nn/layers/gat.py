"""GAT."""

from __future__ import annotations

from torch import Tensor, nn

from graphwright.core import GraphBatch
from graphwright.nn.kernels import scored_sum
from graphwright.nn.layers.message_passing import Aggregation, AttentionLayer


class GAT(AttentionLayer):
    """x_i ← W₁ x_i + Σ_j α_ij W x_j with α_ij = softmax_j LeakyReLU(a · [W x_i ‖ W x_j ‖ W_e e_ij]) (Veličković 2018).

    a · W_e, of which only the product matters, is one linear map of edge features to heads.
    """

    def __init__(self, width: int, edge_width: int = 0, aggregation: Aggregation = "sum", edge_types: int = 0) -> None:
        super().__init__(width, edge_width, aggregation, edge_types)
        self.value = nn.Linear(width, width, bias=False)
        self.node_score = nn.Linear(width, 2 * self.heads, bias=False)
        self.edge_score = nn.Linear(edge_width, self.heads, bias=False) if edge_width else None

    def attend(self, x: Tensor, edges: Tensor | None, graph: GraphBatch) -> Tensor:
        """Σ_j α_ij W x_j, [N, width]."""
        value = self.value(x)
        node_score = self.node_score(value).unflatten(1, (2, self.heads))
        if self.edge_score is None or edges is None:
            edge_score = x.new_zeros(graph.num_edges, self.heads)
        else:
            edge_score = self.edge_score(edges)
        return scored_sum(value.unflatten(1, (self.heads, -1)), node_score, edge_score, graph).flatten(1)
