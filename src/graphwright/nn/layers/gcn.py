"""GCN."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.nn.kernels import neighbour_sum
from graphwright.nn.layers.message_passing import Aggregation, MessagePassingLayer


class GCN(MessagePassingLayer):
    """x ← D^-½ (A + I) D^-½ x W (Kipf & Welling 2017); D counts the self-loop."""

    sight = 2

    def __init__(self, width: int, edge_width: int = 0, aggregation: Aggregation = "sum", edge_types: int = 0) -> None:
        super().__init__()
        self.linear = nn.Linear(width, width)

    @override
    def forward(self, x: Tensor, edges: Tensor | None, graph: GraphBatch) -> Tensor:
        degree = (graph.in_degree + 1).to(x.dtype)
        root = degree.rsqrt()
        return self.linear(neighbour_sum(x, graph, own=1 / degree, source=root, target=root))
