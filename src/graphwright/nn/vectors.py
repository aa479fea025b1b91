"""Graphs that are vectors: an MLP on the columns of a few named nodes, side by side."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import Features, GraphBatch
from graphwright.nn.columns import graph_columns, node_columns, node_width
from graphwright.nn.encoders import Embedding, Encoder, EncoderConfig
from graphwright.nn.heads.gives import Gives
from graphwright.nn.pools import Pool


@dataclass(frozen=True, eq=False)
class VectorEmbedding(Embedding):
    """whole: [B, width], all that is known of a graph. slot: [N] int64, graph · places + place of each node."""

    whole: Tensor = field(kw_only=True)
    slot: Tensor = field(kw_only=True)

    @override
    def pooled(self, pool: Pool, graph: GraphBatch) -> Tensor:
        """[B, width]: the whole, whatever the pool; there are no nodes to be pooled."""
        return self.whole


class VectorEncoder(nn.Module):
    """The columns of each node at its own place of a vector, zeros where it is missing, and of the graph; then an MLP.

    Where nodes stand in a batch changes nothing: their places are named by `Features.named_by`. width: of the `depth`
    hidden layers. places: how many nodes have names. Edges are not looked at.

    Raises ValueError where nodes have no names.
    """

    edge_width = 0
    walks = 0
    carries_edges = False
    sights = (None,)

    def __init__(self, features: Features, config: EncoderConfig) -> None:
        super().__init__()
        name = features.named_by
        if name is None:
            raise ValueError(
                "encoder kind mlp (--encoder.kind): nodes have no names here (Features.named_by); choose a layer that "
                "passes messages, such as gin"
            )
        if config.depth < 1:
            raise ValueError(f"encoder depth {config.depth} (--encoder.depth): an mlp has at least 1 hidden layer")
        self.features = features
        self.width = config.width
        self.graph_width, self.beside = sum(features.graphs.values()), 0
        self.places = features.nodes[name]
        others = {column: width for column, width in features.nodes.items() if column != name}
        self.read = replace(features, nodes=others, graphs={}, named_by=None)
        self.rounds = nn.ModuleList()
        first = nn.Linear(self.places * node_width(self.read) + self.graph_width, config.width)
        rest = [nn.Linear(config.width, config.width) for _ in range(config.depth - 1)]
        self.layers = nn.ModuleList([first, *rest])

    def forward(self, graph: GraphBatch) -> VectorEmbedding:
        """Embeddings of all graphs."""
        assert self.features.named_by is not None
        columns = node_columns(self.read, graph)
        slot = graph.nodes[self.features.named_by].argmax(1) + graph.node_graph * self.places
        table = columns.new_zeros(graph.num_graphs * self.places, columns.shape[1]).index_copy(0, slot, columns)
        x, graphs = table.view(graph.num_graphs, -1), graph_columns(self.features, graph)
        x = x if graphs is None else torch.cat([x, graphs], dim=1)
        for layer in self.layers:
            x = layer(x).relu_()
        return VectorEmbedding(x[:0], None, graphs, whole=x, slot=slot)


class PlaceScore(nn.Module):
    """`columns` scores for each of `places` nodes by weights of their own, [N, columns]; of graphs where it is 0.

    Linear in the last hidden layer of the MLP, with small weights: the first policy is close to uniform.
    """

    gives: Gives = "scores"

    def __init__(self, width: int, places: int, columns: int) -> None:
        super().__init__()
        self.places = places
        self.columns = columns
        self.score = nn.Linear(width, max(places, 1) * columns)
        nn.init.normal_(self.score.weight, std=0.01)
        nn.init.zeros_(self.score.bias)

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[N, columns] or [B, columns]."""
        assert isinstance(embedding, VectorEmbedding)
        scores = self.score(embedding.whole)
        return scores.view(-1, self.columns).index_select(0, embedding.slot) if self.places else scores


def make_encoder(features: Features, config: EncoderConfig) -> Encoder | VectorEncoder:
    """What `config` says. Raises ValueError, naming the option, where it does not fit the features, or is a team's."""
    if config.individual:
        raise ValueError("--encoder.individual: only agents of a team have networks of their own; leave it out")
    is_vector = config.layer is None and config.kind == "mlp"
    return VectorEncoder(features, config) if is_vector else Encoder(features, config)
