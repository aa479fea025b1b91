"""Heads: embeddings → the scores of candidates, or the value of a state."""

from __future__ import annotations

from torch import Tensor, nn

from graphwright.core import GraphBatch
from graphwright.nn.pools import Pool, Pooling


class NodeScore(nn.Module):
    """MLP on [node ‖ graph]: `columns` scores for each node, [N, columns].

    The graph's share of the first layer is computed once a graph and handed to its nodes: the same numbers as for the
    concatenation, without building it.
    """

    def __init__(self, width: int, columns: int, pooling: Pooling) -> None:
        super().__init__()
        self.pool = Pool(pooling)
        self.node = nn.Linear(width, width)
        self.graph = nn.Linear(self.pool.factor * width, width, bias=False)
        self.score = nn.Linear(width, columns, bias=False)  # what is added to all scores changes no softmax
        # Small first scores: the first policy is close to uniform (Andrychowicz et al. 2021, section 3.2).
        nn.init.normal_(self.score.weight, std=0.01)

    def forward(self, x: Tensor, graph: GraphBatch) -> Tensor:
        """x: [N, width] → [N, columns]."""
        context = self.graph(self.pool(x, graph.node_segments))
        return self.score((self.node(x) + context[graph.node_graph]).relu_())


class PooledValue(nn.Module):
    """MLP on the pooled embedding: the value of each graph, [B]."""

    def __init__(self, width: int, pooling: Pooling) -> None:
        super().__init__()
        self.pool = Pool(pooling)
        self.mlp = nn.Sequential(nn.Linear(self.pool.factor * width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, x: Tensor, graph: GraphBatch) -> Tensor:
        """x: [N, width] → [B]."""
        return self.mlp(self.pool(x, graph.node_segments)).squeeze(1)
