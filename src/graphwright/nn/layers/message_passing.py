"""What every layer is: how it is built, how it is called, and what it reads."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import GraphBatch

Aggregation = Literal["sum", "mean", "max", "sum-mean-max"]


class MessagePassingLayer(nn.Module):
    """Built as `Layer(width, edge_width, aggregation, edge_types)`, called as `layer(x, edges, graph)`.

    width: size of a node's embedding, before and after. edge_width: size of an edge's features, 0 where there are none.
    aggregation: how GraphConv combines neighbours. edge_types: how many types the edge column `type` tells apart, 0
    where there is none. x: [N, width]; edges: [E, edge_width], or None where edge_width = 0. Returns [N, width], and
    beside it the new states [E, width] where the layer carries edge states.
    """

    reads_edges: ClassVar[bool] = False
    """Whether edge features change what the layer returns."""
    reads_edge_types: ClassVar[bool] = False
    """Whether the layer itself reads the edge column `type`; every other sees the type as one more edge feature."""
    carries_edges: ClassVar[bool] = False
    """Whether edges have states of the layer's own, [E, width], from one round to the next."""
    sight: ClassVar[int | None] = 1
    """How many hops around a node lies all that its new row is computed of; None: in the whole graph. Its neighbours'
    rows are of one hop, what edges these have of two."""


class AttentionLayer(MessagePassingLayer):
    """x_i ← W₁ x_i + attention of x_i to other nodes, of four heads side by side.

    The term W₁ x_i takes the place of a self-loop, so that no layer adds edges.
    """

    reads_edges = True
    heads: ClassVar[int] = 4

    def __init__(self, width: int, edge_width: int = 0, aggregation: Aggregation = "sum", edge_types: int = 0) -> None:
        super().__init__()
        if width % self.heads:
            raise ValueError(
                f"encoder width {width} is not divisible by the {self.heads} attention heads; choose a multiple"
            )
        self.channels = width // self.heads
        self.own = nn.Linear(width, width)

    def attend(self, x: Tensor, edges: Tensor | None, graph: GraphBatch) -> Tensor:
        """What each node gathers from others, [N, width]."""
        raise NotImplementedError

    @override
    def forward(self, x: Tensor, edges: Tensor | None, graph: GraphBatch) -> Tensor:
        return self.own(x).add_(self.attend(x, edges, graph))
