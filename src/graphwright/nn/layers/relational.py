"""RGCN: a weight for each type of edge."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.nn.kernels import typed_mean
from graphwright.nn.layers.message_passing import Aggregation, MessagePassingLayer


class Relational(MessagePassingLayer):
    """x_i ← W₀ x_i + Σ_r mean_{j ∈ N_r(i)} W_r x_j (Schlichtkrull et al. 2018); r is the edge column `type`.

    Where edges have no types there is one W_r for all.
    """

    reads_edge_types = True

    def __init__(self, width: int, edge_width: int = 0, aggregation: Aggregation = "sum", edge_types: int = 0) -> None:
        super().__init__()
        self.num_types = max(edge_types, 1)
        self.typed = edge_types > 0
        self.own = nn.Linear(width, width)
        self.neighbours = nn.Parameter(torch.empty(self.num_types, width, width))
        nn.init.uniform_(self.neighbours, -(width**-0.5), width**-0.5)  # each W_r as a linear layer begins

    @override
    def forward(self, x: Tensor, edges: Tensor | None, graph: GraphBatch) -> Tensor:
        edge_type = graph.edges["type"] if self.typed else torch.zeros_like(graph.edge_index[0])
        means = typed_mean(x, edge_type, self.num_types, graph)
        return self.own(x).addmm_(means.flatten(1), self.neighbours.flatten(0, 1))
