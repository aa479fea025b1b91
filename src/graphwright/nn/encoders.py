"""Encoders: an observation's columns → one embedding a node, whatever the size of the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from graphwright.core import Features, GraphBatch
from graphwright.nn.layers import GAT, GCN, GIN, Aggregation, GATv2, GraphConv, MessagePassingLayer

Kind = Literal["graphconv", "sage", "gcn", "gat", "gatv2", "gin"]

_LAYERS: dict[str, type[MessagePassingLayer]] = {
    "graphconv": GraphConv,
    "sage": GraphConv,
    "gcn": GCN,
    "gat": GAT,
    "gatv2": GATv2,
    "gin": GIN,
}


@dataclass(frozen=True)
class EncoderConfig:
    """What an encoder is made of."""

    kind: Kind = "graphconv"
    """Message-passing layer."""
    layer: str | None = None
    """A PyG MessagePassing layer instead, as module:Class (torch_geometric.nn:TransformerConv)."""
    width: int = 64
    """Size of a node's embedding."""
    depth: int = 3
    """How many rounds of messages."""
    aggregation: Aggregation | None = None
    """How graphconv and sage combine neighbours; by default graphconv takes the sum and sage the mean."""
    residual: bool = True
    """Whether each round adds to the embedding rather than replacing it."""
    norm: bool = True
    """Whether each round begins with a layer normalisation."""

    def __post_init__(self) -> None:
        """Raise ValueError for sizes that make no network."""
        if self.width < 1 or self.depth < 0:
            raise ValueError(f"--encoder.width {self.width} --encoder.depth {self.depth}: give at least 1 and 0")
        if self.aggregation is not None and (self.layer is not None or _LAYERS[self.kind] is not GraphConv):
            raise ValueError(f"--encoder.aggregation {self.aggregation}: only graphconv and sage have a choice")


class Encoder(nn.Module):
    """A linear embedding of the columns, `depth` rounds of messages, and a last normalisation."""

    def __init__(self, features: Features, config: EncoderConfig) -> None:
        super().__init__()
        self.features = features
        node_width = sum(features.nodes.values()) + sum(features.graphs.values())
        edge_width = sum(features.edges.values())
        self.embed = nn.Linear(node_width, config.width)
        self.rounds = nn.ModuleList(Round(config, edge_width) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width) if config.norm else nn.Identity()

    def forward(self, graph: GraphBatch) -> Tensor:
        """Embeddings [N, width] of all nodes; a column of the graph reaches each of its nodes."""
        columns = [_flat(graph.nodes[name]) for name in self.features.nodes]
        columns += [_flat(graph.graphs[name])[graph.node_graph] for name in self.features.graphs]
        edges = [_flat(graph.edges[name]) for name in self.features.edges]
        edge_features = torch.cat(edges, dim=1) if edges else None
        x = self.embed(torch.cat(columns, dim=1))
        for round_ in self.rounds:
            x = round_(x, edge_features, graph)
        return self.norm(x)


class Round(nn.Module):
    """x ← x + relu(layer(norm(x))): one round of messages, with what surrounds the layer."""

    def __init__(self, config: EncoderConfig, edge_width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width) if config.norm else nn.Identity()
        self.layer = make_layer(config, edge_width)
        self.residual = config.residual

    def forward(self, x: Tensor, edge_features: Tensor | None, graph: GraphBatch) -> Tensor:
        """x: [N, width] → [N, width]."""
        change = self.layer(self.norm(x), edge_features, graph).relu_()
        return x + change if self.residual else change


def make_layer(config: EncoderConfig, edge_width: int) -> nn.Module:
    """The layer that a config names."""
    if config.layer is not None:
        from graphwright.nn.pyg import PyGLayer

        return PyGLayer(config.layer, config.width, edge_width)
    aggregation = config.aggregation or ("mean" if config.kind == "sage" else "sum")
    return _LAYERS[config.kind](config.width, edge_width, aggregation)


def _flat(column: Tensor) -> Tensor:
    """[M, ...] of any type → [M, D] float32."""
    return (column.flatten(1) if column.dim() > 1 else column.unsqueeze(1)).to(torch.float32)
