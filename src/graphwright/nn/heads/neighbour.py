"""Scores of the edges out of the node that decides, or on which the agent stands."""

from __future__ import annotations

from torch import Tensor, nn

from graphwright.core import GraphBatch, RowKind
from graphwright.core.rows import GRAPHS, NEIGHBOURS
from graphwright.nn.encoders import Embedding
from graphwright.nn.heads.gives import Gives
from graphwright.nn.heads.node import small_linear


def _out_edges(graph: GraphBatch, decider: RowKind) -> Tensor:
    """[out-edges] int64: the rows of the edges out of what decides, or of `at` where graphs do."""
    return NEIGHBOURS.places(graph, None if decider == GRAPHS else decider.deciders(graph)[0])


class NeighbourScore(nn.Module):
    """MLP on [neighbour ‖ current node ‖ edge]: `columns` scores for each edge out of what decides, or of `at`."""

    gives: Gives = "scores"

    def __init__(self, width: int, edge_width: int, columns: int = 1, decider: RowKind = GRAPHS) -> None:
        super().__init__()
        self.decider = decider
        self.neighbour = nn.Linear(width, width)
        self.current = nn.Linear(width, width, bias=False)
        self.edge = nn.Linear(edge_width, width, bias=False) if edge_width else None
        self.score = small_linear(width, columns)

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[out-edges, columns], decision by decision, by rising destination."""
        rows = _out_edges(graph, self.decider)
        current, neighbour = embedding.nodes[graph.edge_index[:, rows]]
        hidden = self.neighbour(neighbour) + self.current(current)
        if self.edge is not None and embedding.edges is not None:
            hidden = hidden + self.edge(embedding.edges[rows])
        return self.score(hidden.relu_())


class LinearNeighbourScore(nn.Module):
    """Weights on the embedding of the neighbour and the columns of the edge alone: [out-edges, columns].

    What the deciding node itself is like adds the same to all its neighbours, and so changes nothing.
    """

    gives: Gives = "scores"

    def __init__(self, width: int, edge_width: int, columns: int, decider: RowKind) -> None:
        super().__init__()
        self.decider = decider
        self.score = small_linear(width, columns)
        self.edge = small_linear(edge_width, columns) if edge_width else None

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[out-edges, columns], decision by decision, by rising destination."""
        rows = _out_edges(graph, self.decider)
        score = self.score(embedding.nodes[graph.edge_index[1, rows]])
        if self.edge is not None and embedding.edges is not None:
            score = score + self.edge(embedding.edges[rows])
        return score
