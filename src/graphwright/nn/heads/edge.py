"""Scores of edges. An undirected edge has one score, which does not depend on which way round it is stored."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from graphwright.core import GraphBatch
from graphwright.core.construction import on_both_directions, opposite_edges
from graphwright.nn.encoders import Embedding
from graphwright.nn.heads.gives import Gives
from graphwright.nn.heads.graph import whole_graph
from graphwright.nn.heads.node import small_linear
from graphwright.nn.kernels import pair_scores
from graphwright.nn.pools import Pool, Pooling


class EdgeScore(nn.Module):
    """MLP on [source ‖ destination ‖ edge ‖ graph], or on [source + destination ‖ edge ‖ graph]: [L, columns].

    Of an undirected edge, with `ends="concat"`, the scores of both directions are added up, a loop counts once; with
    "sum", the MLP sees the mean of what is known of both directions. What it sees of an edge are the edge states of an
    encoder that carries them, otherwise the observation's edge features. graph_width: columns of the graph that are
    read beside the pooled nodes.
    """

    gives: Gives = "scores"

    def __init__(
        self,
        width: int,
        edge_width: int,
        columns: int,
        pooling: Pooling,
        ends: Literal["concat", "sum"],
        graph_width: int = 0,
    ) -> None:
        super().__init__()
        self.pool = Pool(pooling, width)
        self.reads_columns = graph_width > 0
        self.graph = nn.Linear(self.pool.out_width + graph_width, width, bias=False)
        self.source = nn.Linear(width, width)
        self.destination = nn.Linear(width, width, bias=False) if ends == "concat" else None
        self.edge = nn.Linear(edge_width, width, bias=False) if edge_width else None
        self.score = small_linear(width, columns)

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[L, columns]."""
        context = self.graph(whole_graph(self.pool, embedding, graph, self.reads_columns))
        source, second = self.source(embedding.nodes), self.destination
        destination = source if second is None else second(embedding.nodes)
        source = source + context.index_select(0, graph.node_graph)
        edges = None if self.edge is None else embedding.edges
        if "reverse" not in graph.edges:  # all edges are links, as they stand
            return self._score(source, destination, graph.edge_index, edges)
        forth, back = both_directions(graph)
        one_way, ends = None if edges is None else edges.index_select(0, forth), graph.edge_index.index_select(1, forth)
        other_way = None if edges is None else edges.index_select(0, back)
        if second is None:
            both = None if one_way is None or other_way is None else (one_way + other_way) / 2
            return self._score(source, destination, ends, both)
        once, ends_back = (forth == back).unsqueeze(1), graph.edge_index.index_select(1, back)
        scores = self._score(source, destination, ends, one_way)
        return scores + self._score(source, destination, ends_back, other_way).masked_fill(once, 0)

    def _score(self, source: Tensor, destination: Tensor, ends: Tensor, edge: Tensor | None) -> Tensor:
        """[L, columns] of edges between `ends` [2, L], of which `edge` [L, edge_width] is known."""
        projection, score = self.edge, self.score.weight
        if projection is None or edge is None:
            return pair_scores(source, destination, ends, score)
        return pair_scores(source, destination, ends, score, edge, projection.weight)


class EdgeStateScore(nn.Module):
    """MLP on the states that an edge-centric encoder carries: [L, columns]; those of both directions are added up."""

    gives: Gives = "scores"

    def __init__(self, edge_width: int, columns: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(edge_width, edge_width)
        self.score = small_linear(edge_width, columns)

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[L, columns]."""
        assert embedding.edges is not None
        return self.score(self.hidden(add_directions(embedding.edges, graph)).relu_())


def both_directions(graph: GraphBatch) -> tuple[Tensor, Tensor]:
    """The rows [L] of the edges that stand for links, and of their opposites (themselves, where there is none)."""
    rows, _ = graph.links
    if "reverse" not in graph.edges:
        return rows, rows
    return rows, opposite_edges(graph, rows)


def add_directions(values: Tensor, graph: GraphBatch) -> Tensor:
    """values [E, ...] → [L, ...]: the sum over both directions of an undirected edge; a loop counts once."""
    forth, back = both_directions(graph)
    if "reverse" not in graph.edges:
        return values
    once = (forth == back).view(-1, *[1] * (values.dim() - 1))
    return values[forth] + values[back].masked_fill(once, 0)


def log_add_directions(log_probs: Tensor, graph: GraphBatch, legal: Tensor) -> Tensor:
    """log_probs [E] → [L]: log of the summed probabilities of both directions; -inf where `legal` [L] is false."""
    forth, back = both_directions(graph)
    one = log_probs[forth].masked_fill(~legal, 0)  # what is masked stays out of the gradient: -inf - -inf is NaN
    other = log_probs[back].masked_fill(~legal, 0)
    both = torch.where(forth == back, one, torch.logaddexp(one, other))
    return both.masked_fill(~legal, -torch.inf)


def to_directions(values: Tensor, graph: GraphBatch) -> Tensor:
    """values [L] of links → [E] of edges: each direction has that of its link."""
    return on_both_directions(graph, values) if "reverse" in graph.edges else values
