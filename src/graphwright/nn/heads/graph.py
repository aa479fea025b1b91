"""A head that reads a graph as a whole: scores of a fixed action space."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graphwright.core import GraphBatch
from graphwright.nn.encoders import Embedding
from graphwright.nn.heads.gives import Gives
from graphwright.nn.pools import Pool, Pooling


class GraphScore(nn.Module):
    """MLP on the pooled embedding: `columns` scores for each graph, [B, columns].

    With a bias, unlike other scores: beside other blocks it says how much this one is worth. graph_width: columns of
    the graph that it reads beside the nodes, as it must where graphs may have none.
    """

    gives: Gives = "scores"

    def __init__(self, width: int, columns: int, pooling: Pooling, graph_width: int = 0) -> None:
        super().__init__()
        self.pool = Pool(pooling, width)
        self.reads_columns = graph_width > 0
        self.hidden = nn.Linear(self.pool.out_width + graph_width, width)
        self.score = nn.Linear(width, columns)
        nn.init.normal_(self.score.weight, std=0.01)
        nn.init.zeros_(self.score.bias)

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[B, columns]."""
        return self.score(self.hidden(whole_graph(self.pool, embedding, graph, self.reads_columns)).relu_())


def whole_graph(pool: Pool, embedding: Embedding, graph: GraphBatch, with_columns: bool) -> Tensor:
    """[B, ...]: the pooled nodes, with the columns of the graph beside them if so wanted."""
    pooled = embedding.pooled(pool, graph)
    return torch.cat([pooled, embedding.graphs], dim=1) if with_columns and embedding.graphs is not None else pooled
