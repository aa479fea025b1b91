"""Heads that read a graph as a whole: scores of a fixed action space, and the value of a state."""

from __future__ import annotations

from torch import Tensor, nn

from graphwright.core import GraphBatch
from graphwright.nn.encoders import Embedding
from graphwright.nn.pools import Pool, Pooling


class GraphScore(nn.Module):
    """MLP on the pooled embedding: `columns` scores for each graph, [B, columns].

    With a bias, unlike other scores: beside other blocks it says how much this one is worth.
    """

    def __init__(self, width: int, columns: int, pooling: Pooling) -> None:
        super().__init__()
        self.pool = Pool(pooling, width)
        self.hidden = nn.Linear(self.pool.out_width, width)
        self.score = nn.Linear(width, columns)
        nn.init.normal_(self.score.weight, std=0.01)
        nn.init.zeros_(self.score.bias)

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[B, columns]."""
        return self.score(self.hidden(self.pool(embedding.nodes, graph.node_segments)).relu_())


class PooledValue(nn.Module):
    """MLP on the pooled embedding: the value of each graph, [B]."""

    def __init__(self, width: int, pooling: Pooling) -> None:
        super().__init__()
        self.pool = Pool(pooling, width)
        self.mlp = nn.Sequential(nn.Linear(self.pool.out_width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, embedding: Embedding, graph: GraphBatch) -> Tensor:
        """[B]."""
        return self.mlp(self.pool(embedding.nodes, graph.node_segments)).squeeze(1)
