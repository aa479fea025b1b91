"""The linear map of edge features inside a layer."""

from __future__ import annotations

from torch import Tensor, nn

from graphwright.core import GraphBatch


class EdgeProjection(nn.Module):
    """A weight [width, edge_width] for a kernel that applies it edge by edge, without the [E, width] result."""

    def __init__(self, edge_width: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.linear = nn.Linear(edge_width, width, bias=False) if edge_width else None

    def forward(self, edges: Tensor | None, x: Tensor, graph: GraphBatch) -> tuple[Tensor, Tensor]:
        """Edge features [E, edge_width] and weight [width, edge_width], like x in type; empty where there are none."""
        if self.linear is None or edges is None:
            return x.new_empty(graph.num_edges, 0), x.new_empty(self.width, 0)
        return edges, self.linear.weight
