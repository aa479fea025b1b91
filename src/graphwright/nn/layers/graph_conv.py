"""GraphConv and GraphSAGE: a linear map of the node and one of its neighbours combined."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.nn.kernels import neighbour_max, neighbour_sum
from graphwright.nn.layers.message_passing import Aggregation, MessagePassingLayer


def neighbour_mean(x: Tensor, graph: GraphBatch) -> Tensor:
    """out[i] = mean of x[j] over the edges j → i, [N, F]; 0 where no edge ends."""
    return neighbour_sum(x, graph, target=graph.in_degree.clamp(min=1).to(x.dtype).reciprocal_())


_AGGREGATIONS = {"sum": neighbour_sum, "mean": neighbour_mean, "max": neighbour_max}


class GraphConv(MessagePassingLayer):
    """x_i ← W₁ x_i + W₂ ⊕_j x_j.

    With ⊕ = Σ it is the k-GNN layer of Morris et al. 2019 ("Weisfeiler and Leman go neural"), with ⊕ = mean or max
    the GraphSAGE layer of Hamilton et al. 2017, with "sum-mean-max" the concatenation of the three.
    """

    def __init__(self, width: int, edge_width: int = 0, aggregation: Aggregation = "sum", edge_types: int = 0) -> None:
        super().__init__()
        self.aggregations = aggregation.split("-")
        self.own = nn.Linear(width, width)
        self.neighbours = nn.Linear(len(self.aggregations) * width, width, bias=False)

    @override
    def forward(self, x: Tensor, edges: Tensor | None, graph: GraphBatch) -> Tensor:
        parts = [_AGGREGATIONS[name](x, graph) for name in self.aggregations]
        together = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
        return self.own(x).addmm_(together, self.neighbours.weight.t())
