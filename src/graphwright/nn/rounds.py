"""Rounds: a layer with what surrounds it."""

from __future__ import annotations

from torch import Tensor, nn

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.nn.layer_norm import LayerNorm
from graphwright.nn.perceptron import Perceptron


class Round(nn.Module):
    """x ← x + relu(layer(norm(x))); without `residual`, x ← relu(layer(norm(x))). Edges stay as they are."""

    def __init__(self, layer: nn.Module, width: int, residual: bool, norm: bool) -> None:
        super().__init__()
        self.norm = LayerNorm(width) if norm else nn.Identity()
        self.layer = layer
        self.residual = residual

    def forward(self, x: Tensor, edges: Tensor | None, graph: GraphBatch) -> tuple[Tensor, Tensor | None]:
        """x: [N, width], edges: [E, edge_width] → the same shapes."""
        change = self.layer(self.norm(x), edges, graph).relu_()
        return x + change if self.residual else change, edges


class EdgeStateRound(nn.Module):
    """A round of a layer that carries edge states, which are treated as nodes are."""

    def __init__(self, layer: nn.Module, width: int, residual: bool, norm: bool) -> None:
        super().__init__()
        self.norm = LayerNorm(width) if norm else nn.Identity()
        self.edge_norm = LayerNorm(width) if norm else nn.Identity()
        self.layer = layer
        self.residual = residual

    def forward(self, x: Tensor, edges: Tensor, graph: GraphBatch) -> tuple[Tensor, Tensor]:
        """x: [N, width], edges: [E, width] → the same shapes."""
        change, edge_change = self.layer(self.norm(x), self.edge_norm(edges), graph)
        change, edge_change = change.relu_(), edge_change.relu()
        return (x + change, edges + edge_change) if self.residual else (change, edge_change)


class VirtualNode(nn.Module):
    """v ← v + MLP(norm(v + Σ x)): one more state for each graph, which reads all its nodes.

    Gilmer et al. 2017 ("Neural message passing for quantum chemistry"), in the form of Hu et al. 2020 ("Open graph
    benchmark"). The state is a row of its own, [B, width], never a node of the graph.
    """

    def __init__(self, width: int, residual: bool, norm: bool) -> None:
        super().__init__()
        self.norm = LayerNorm(width) if norm else nn.Identity()
        self.mlp = Perceptron(width)
        self.residual = residual

    def forward(self, state: Tensor, x: Tensor, graph: GraphBatch) -> Tensor:
        """state: [B, width], x: [N, width] → [B, width]."""
        change = self.mlp(self.norm(state + segment_sum(x, graph.node_segments)))
        return state + change if self.residual else change
