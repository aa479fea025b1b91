"""Encoders: an observation's columns → one embedding a node, whatever the size of the graph."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor, nn

from graphwright.core import Features, GraphBatch
from graphwright.nn.columns import edge_columns, graph_columns, memoryless, node_columns, node_width, with_edge_type
from graphwright.nn.kernels import closed_random_walks, random_walks_along_edges
from graphwright.nn.layer_norm import LayerNorm
from graphwright.nn.layers import (
    GAT,
    GCN,
    GIN,
    Aggregation,
    EdgeGated,
    GATv2,
    GraphConv,
    GraphTransformer,
    MessagePassingLayer,
    Relational,
    Transformer,
)
from graphwright.nn.pools import Pool, Pooling
from graphwright.nn.pyg import PyGLayer
from graphwright.nn.rounds import EdgeStateRound, Round, VirtualNode

MessageKind = Literal[
    "graphconv",
    "sage",
    "gcn",
    "gat",
    "gatv2",
    "gin",
    "edge-gated",
    "transformer",
    "graph-transformer",
    "relational",
]
Kind = Literal[MessageKind, "mlp"]

_LAYERS: dict[str, type[MessagePassingLayer]] = {
    "graphconv": GraphConv,
    "sage": GraphConv,
    "gcn": GCN,
    "gat": GAT,
    "gatv2": GATv2,
    "gin": GIN,
    "edge-gated": EdgeGated,
    "transformer": Transformer,
    "graph-transformer": GraphTransformer,
    "relational": Relational,
}

_MOST_DEPTH, _MOST_WEIGHTS = 1024, 2**30  # 4 GiB
_MOST_WALKS = 64


class EdgeFeaturesIgnored(UserWarning):
    """An encoder is built whose layer does not read the edge features that there are."""


def require_random_walks(option: str, steps: int) -> None:
    """Raise ValueError, naming the option, for a number of steps that no walk has, or that takes too long."""
    if not 0 <= steps <= _MOST_WALKS:
        raise ValueError(f"--{option} {steps}: give 0 to {_MOST_WALKS}")


@dataclass(frozen=True)
class EncoderConfig:
    """What an encoder is made of."""

    kind: Kind = "graphconv"
    """Message-passing layer; mlp: an MLP on the columns of all nodes side by side, where these have names."""
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
    jumping: bool = False
    """Whether the embedding is the concatenation of all rounds, projected to the width, instead of the last."""
    virtual_node: bool = False
    """Whether each graph has one more state, which every round reads from and writes to all of its nodes."""
    walks: int = 0
    """Nodes know how likely random walks of up to so many steps are to come back, and heads of edges how likely they
    are to lead from end to end, which messages alone do not tell; 0 for none."""
    graph_columns: bool = True
    """Whether nodes begin with the columns of their graph. Otherwise heads alone read them, so that a decision in a
    large graph costs what it changes near by."""
    individual: bool = False
    """Whether each agent of a team has networks of its own, up to --identity.most, each a pass of its own."""

    def __post_init__(self) -> None:
        """Raise ValueError for sizes that make no network."""
        if self.width < 1 or self.depth < 0:
            raise ValueError(
                f"encoder width {self.width} (--encoder.width), depth {self.depth} (--encoder.depth): "
                "give at least 1 and 0"
            )
        if self.depth > _MOST_DEPTH or self.width**2 * self.depth > _MOST_WEIGHTS:
            raise ValueError(
                f"encoder width {self.width} (--encoder.width), depth {self.depth} (--encoder.depth): make "
                f"more than {_MOST_WEIGHTS} weights; lower them"
            )
        require_random_walks("encoder.walks", self.walks)
        if self.aggregation is not None and (self.layer is not None or _LAYERS.get(self.kind) is not GraphConv):
            raise ValueError(
                f"encoder aggregation {self.aggregation} (--encoder.aggregation): only graphconv and sage have a choice"
            )
        if self.jumping and not self.depth:
            raise ValueError(
                "encoder jumping (--encoder.jumping) joins all rounds, but depth 0 (--encoder.depth) has none"
            )


@dataclass(frozen=True, eq=False)
class Embedding:
    """What an encoder makes of an observation.

    nodes: [N, width]; edges: [E, edge_width], the states of edges where the layers carry them, otherwise the edge
    features of the observation; None where it has none. graphs: [B, graph_width], its graph columns. memory: [N, H],
    what is remembered from now on, see `RecurrentEncoder`.
    """

    nodes: Tensor
    edges: Tensor | None
    graphs: Tensor | None = None
    memory: Tensor | None = None
    _pooled: dict[Pooling, Tensor] = field(default_factory=dict, init=False, repr=False)

    def pooled(self, pool: Pool, graph: GraphBatch) -> Tensor:
        """[B, pool.out_width]: what `pool` makes of the nodes; once for all heads whose pools have no weights."""
        if pool.attention is not None:
            return pool(self.nodes, graph.node_segments)
        if pool.kind not in self._pooled:
            self._pooled[pool.kind] = pool(self.nodes, graph.node_segments)
        return self._pooled[pool.kind]


class Encoder(nn.Module):
    """A linear embedding of the columns, `depth` rounds of messages, and a last normalisation.

    width: size of a node's embedding. edge_width: that of an edge, 0 where there is none; graph_width: of the columns
    of a graph; beside: of those that nodes do not begin with, so that heads read them; read: the columns that they do
    begin with. carries_edges: whether the layers carry edge states. sights: how far each round looks, in hops; None: at
    the whole graph. Warns with `EdgeFeaturesIgnored` where the layer does not read all that edges have. places: how
    many nodes have weights of their own; 0, since all share theirs. remembers: whether it hands memories on.
    """

    places = 0
    remembers = False

    def __init__(self, features: Features, config: EncoderConfig) -> None:
        super().__init__()
        if config.layer is None and config.kind not in _LAYERS:
            raise ValueError(
                f"encoder kind {config.kind} (--encoder.kind): passes no messages, which are needed here; "
                f"choose from {', '.join(_LAYERS)}"
            )
        features = memoryless(features)
        width, residual, norm = config.width, config.residual, config.norm
        self.features, self.width, self.walks = features, width, config.walks
        own_edge_width = sum(features.edges.values())
        self.edge_width = own_edge_width + config.walks
        self.graph_width = sum(features.graphs.values())
        self.beside = 0 if config.graph_columns else self.graph_width
        self.read = features if config.graph_columns else replace(features, graphs={})
        layer_type = PyGLayer if config.layer is not None else _LAYERS[config.kind]
        self.carries_edges = layer_type.carries_edges and config.depth > 0
        self.appends_types = not layer_type.reads_edge_types
        message_width = own_edge_width + features.edge_types * self.appends_types
        self.embed = nn.Linear(node_width(self.read) + config.walks, width)
        self.norm = LayerNorm(width) if norm else nn.Identity()
        if self.carries_edges:
            self.embed_edges = nn.Linear(max(message_width + config.walks, 1), width)
            # Without weights of its own: where no head reads the edges, every parameter still has a gradient.
            self.edge_norm = LayerNorm(width, elementwise_affine=False) if norm else nn.Identity()
            message_width = self.edge_width = width
        layers = [_make_layer(config, message_width, features.edge_types) for _ in range(config.depth)]
        self.sights = tuple(layer.sight for layer in layers)
        round_type = EdgeStateRound if self.carries_edges else Round
        self.rounds = nn.ModuleList(round_type(layer, width, residual, norm) for layer in layers)
        virtual = [VirtualNode(width, residual, norm) for _ in range(config.depth if config.virtual_node else 0)]
        self.virtual_nodes, self.carries_state = nn.ModuleList(virtual), config.virtual_node
        self.jumping = nn.Linear(config.depth * width, width) if config.jumping else None
        if layers:
            _warn_of_ignored_edges(features, config, layers[0])

    def forward(self, graph: GraphBatch) -> Embedding:
        """Embeddings of all nodes and edges; a column of the graph reaches each of its nodes, or heads alone."""
        nodes, columns = node_columns(self.read, graph), edge_columns(self.features, graph)
        edges = with_edge_type(columns, self.features, graph) if self.appends_types else columns
        if self.walks:
            nodes = torch.cat([nodes, closed_random_walks(graph, self.walks)], dim=1)
            columns = _beside(columns, random_walks_along_edges(graph, self.walks))
            edges = _beside(edges, columns[:, -self.walks :]) if self.carries_edges else edges
        x = self.embed(nodes)
        if self.carries_edges:
            edges = self.embed_edges(x.new_ones(graph.num_edges, 1) if edges is None else edges)
        state = x.new_zeros(graph.num_graphs, self.width) if self.carries_state else None
        jumping, rounds = self.jumping, list[Tensor]()
        for index, round_ in enumerate(self.rounds):
            if state is not None:
                state = self.virtual_nodes[index](state, x, graph)
                x = x + state.index_select(0, graph.node_graph)
            x, edges = round_(x, edges, graph)
            if jumping is not None:
                rounds.append(x)
        if jumping is not None:
            x = jumping(torch.cat(rounds, dim=1))
        edges = self.edge_norm(edges) if self.carries_edges else columns
        return Embedding(self.norm(x), edges, graph_columns(self.features, graph))


def _beside(columns: Tensor | None, more: Tensor) -> Tensor:
    return more if columns is None else torch.cat([columns, more], dim=1)


def _make_layer(config: EncoderConfig, edge_width: int, edge_types: int) -> PyGLayer | MessagePassingLayer:
    if config.layer is not None:
        return PyGLayer(config.layer, config.width, edge_width)
    aggregation = config.aggregation or ("mean" if config.kind == "sage" else "sum")
    return _LAYERS[config.kind](config.width, edge_width, aggregation, edge_types)


def _warn_of_ignored_edges(features: Features, config: EncoderConfig, layer: PyGLayer | MessagePassingLayer) -> None:
    """Say which edge columns the layer drops, and what reads them."""
    if layer.reads_edges:
        return
    dropped = [*features.edges, *(["type"] if features.edge_types and not layer.reads_edge_types else [])]
    if dropped:
        readers = ", ".join(kind for kind, layer_type in _LAYERS.items() if layer_type.reads_edges)
        warnings.warn(
            f"encoder layer {config.layer or config.kind} drops the edge columns {', '.join(dropped)}; "
            f"to read them choose kind (--encoder.kind) from {readers}",
            EdgeFeaturesIgnored,
            stacklevel=3,
        )
