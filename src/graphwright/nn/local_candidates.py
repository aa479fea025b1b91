"""What a policy scores in one graph, its nodes or its links, a few at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import ActionBlock, GraphBatch
from graphwright.core.rows import EDGES, NODES
from graphwright.nn.heads.edge import EdgeScore, both_directions
from graphwright.nn.heads.node import NodeScore
from graphwright.nn.kernels import pair_scores


def scores_each_once(head: object, block: ActionBlock) -> bool:
    """Whether `head` gives each node or each link one score, of its own nodes, its edge and the whole graph."""
    if block.columns != 1:
        return False
    of_links = isinstance(head, EdgeScore) and head.destination is None and block.rows == EDGES
    return of_links or (isinstance(head, NodeScore) and block.rows == NODES)


class NodeCandidates:
    """Every node is one.

    num_nodes: how many of them a score is of. largest_of_edges: no more than that is added to a hidden number by what
    is known of an edge.
    """

    num_nodes, largest_of_edges = 1, 0.0

    def __init__(self, head: NodeScore) -> None:
        self._head = head

    def show(self, edges: Tensor | None) -> None:
        """The columns of edges, which say nothing of nodes."""

    def hidden(self, nodes: Tensor) -> Tensor:
        """[M, W]: what embeddings [M, width] are worth in the hidden layer."""
        return self._head.node(nodes)

    def near(self, nodes: Tensor) -> Tensor:
        """The candidates that nodes [M] have a part in."""
        return nodes

    def score(self, hidden: Tensor, context: Tensor, rows: Tensor) -> Tensor:
        """[M] float32: the scores of `rows` [M]. hidden: [N, W]; context: [1, W], what the graph is worth."""
        ends = torch.stack([rows, torch.zeros_like(rows)])
        return pair_scores(hidden, context, ends, self._head.score.weight).squeeze(1)


class LinkCandidates:
    """Every link is one; see `NodeCandidates`. The links of the graph stay as they are."""

    num_nodes = 2

    def __init__(self, head: EdgeScore, graph: GraphBatch) -> None:
        self._head, self._in_edges = head, graph.in_edges
        self._row, opposite = both_directions(graph)
        self._ends = graph.edge_index[:, self._row]
        self._link = torch.empty(graph.num_edges, dtype=torch.int64)
        self._link[self._row] = self._link[opposite] = torch.arange(self._row.numel())
        self._edges: Tensor | None = None
        self.largest_of_edges = 0.0

    def show(self, edges: Tensor | None) -> None:
        """The columns of edges [E, D] from now on."""
        self._edges = edges
        if self._head.edge is not None and edges is not None and edges.numel():
            most = edges.abs().amax(0) @ self._head.edge.weight.abs().t()
            self.largest_of_edges = max(self.largest_of_edges, float(most.max()))

    def hidden(self, nodes: Tensor) -> Tensor:
        """[M, W]: what embeddings [M, width] are worth in the hidden layer, at either end."""
        return self._head.source(nodes)

    def near(self, nodes: Tensor) -> Tensor:
        """The links that end in one of `nodes` [M], rising."""
        return torch.unique(self._link[self._in_edges.select(nodes)[1]])

    def score(self, hidden: Tensor, context: Tensor, rows: Tensor) -> Tensor:
        """[M] float32: the scores of the links `rows` [M]."""
        source, destination = self._ends[:, rows]
        ends = torch.stack([torch.arange(rows.numel()), destination])
        begun, weight = hidden.index_select(0, source) + context, self._head.score.weight
        if self._head.edge is None or self._edges is None:
            return pair_scores(begun, hidden, ends, weight).squeeze(1)
        edges = self._edges.index_select(0, self._row[rows])
        return pair_scores(begun, hidden, ends, weight, edges, self._head.edge.weight).squeeze(1)


def candidates_of(head: object, graph: GraphBatch) -> NodeCandidates | LinkCandidates:
    """What `head`, which scores each once, scores in `graph`."""
    if isinstance(head, NodeScore):
        return NodeCandidates(head)
    assert isinstance(head, EdgeScore)
    return LinkCandidates(head, graph)
