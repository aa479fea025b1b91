"""Critics: what an encoder made of an observation → the value of each graph."""

from __future__ import annotations

from torch import Tensor, nn

from graphwright.core import GraphBatch
from graphwright.nn.encoders import Embedding
from graphwright.nn.heads.graph import whole_graph
from graphwright.nn.pools import Pool, Pooling


class GraphValue(nn.Module):
    """MLP on the pooled embedding: the value of each graph, [B].

    graph_width: columns of the graph that it reads beside the nodes, as it must where graphs may have none.
    """

    def __init__(self, width: int, pooling: Pooling, graph_width: int = 0) -> None:
        super().__init__()
        self.pool = Pool(pooling, width)
        self.reads_columns = graph_width > 0
        self.mlp = nn.Sequential(nn.Linear(self.pool.out_width + graph_width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, embedding: Embedding, graph: GraphBatch) -> Tensor:
        """[B]."""
        return self.mlp(whole_graph(self.pool, embedding, graph, self.reads_columns)).squeeze(1)
