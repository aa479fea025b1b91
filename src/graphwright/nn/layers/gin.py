"""GIN, and GINE where there are edge features."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.nn.kernels import edge_relu_sum, neighbour_sum
from graphwright.nn.layers.message_passing import Aggregation, MessagePassingLayer
from graphwright.nn.perceptron import Perceptron


class GIN(MessagePassingLayer):
    """x_i ← MLP((1 + ε) x_i + Σ_j x_j) (Xu et al. 2019); with edges Σ_j relu(x_j + W e_ij) (Hu et al. 2020)."""

    reads_edges = True

    def __init__(self, width: int, edge_width: int = 0, aggregation: Aggregation = "sum", edge_types: int = 0) -> None:
        super().__init__()
        self.epsilon = nn.Parameter(torch.zeros(()))
        self.edge = nn.Linear(edge_width, width, bias=False) if edge_width else None
        self.mlp = Perceptron(width)

    @override
    def forward(self, x: Tensor, edges: Tensor | None, graph: GraphBatch) -> Tensor:
        edge = self.edge
        if edge is None or edges is None:
            return self.mlp(neighbour_sum(x, graph, own=(1 + self.epsilon).expand(graph.num_nodes)))
        return self.mlp(edge_relu_sum(x, edges, edge.weight, self.epsilon, graph))
