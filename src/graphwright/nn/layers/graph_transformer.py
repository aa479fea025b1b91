"""The transformer over all nodes of each graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graphwright.core import GraphBatch
from graphwright.nn.kernels import graph_attention
from graphwright.nn.layers.message_passing import Aggregation, AttentionLayer


class GraphTransformer(AttentionLayer):
    """x_i ← W₁ x_i + W₂ Σ_j α_ij V x_j with α_ij = softmax_j (Q x_i · K x_j / √C + b_ij), j over all nodes of a graph.

    Multi-head attention of Vaswani et al. 2017. The bias b_ij, one for each head, is where the graph comes in (Ying et
    al. 2021, "Do transformers really perform bad for graph representation?"): a linear map of the features of the
    edges j → i, added up, with a constant that says that there is one; 0 where there is none.
    """

    sight = None

    def __init__(self, width: int, edge_width: int = 0, aggregation: Aggregation = "sum", edge_types: int = 0) -> None:
        super().__init__(width, edge_width, aggregation, edge_types)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.edge_constant = nn.Parameter(torch.zeros(self.heads))
        self.edge_bias = nn.Linear(edge_width, self.heads, bias=False) if edge_width else None
        self.output = nn.Linear(width, width)

    def attend(self, x: Tensor, edges: Tensor | None, graph: GraphBatch) -> Tensor:
        """W₂ Σ_j α_ij V x_j, [N, width]."""
        query_key_value = self.query_key_value(x).view(-1, 3, self.heads, self.channels)
        bias = self.edge_constant.expand(graph.num_edges, self.heads)
        if self.edge_bias is not None and edges is not None:
            bias = bias + self.edge_bias(edges)
        return self.output(graph_attention(query_key_value, bias, graph).flatten(1))
