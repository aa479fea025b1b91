"""Edges and pairs by their two end points: in two stages, or at once from a Gaussian pair of proto-actions."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from graphwright.core import (
    GraphBatch,
    Segments,
    pair_ends,
    pair_segments,
    unordered_pair_nodes,
    unordered_pair_segments,
)
from graphwright.core.segment import segment_log_softmax, segment_sum
from graphwright.distributions import RaggedCategorical, SourceThenDestination
from graphwright.distributions.two_stage import any_in_row
from graphwright.nn.encoders import Embedding
from graphwright.nn.heads.edge import log_add_directions, to_directions
from graphwright.nn.heads.gives import Gives
from graphwright.nn.heads.node import NodeScore, small_linear
from graphwright.nn.kernels import pair_scores, random_walks, random_walks_either_way
from graphwright.nn.pools import Pool, Pooling


class TwoStageEdgeScore(nn.Module):
    """log p(source) + log p(destination | source) over the legal edges, [L]: exact log-probabilities, not mere scores.

    An undirected edge may be reached from either end, and its probability is the sum of both ways.
    """

    gives: Gives = "log-probabilities"

    def __init__(self, width: int, edge_width: int, pooling: Pooling) -> None:
        super().__init__()
        self.source = NodeScore(width, 1, pooling)
        self.destination = DestinationScore(width)
        self.edge = nn.Linear(edge_width, width, bias=False) if edge_width else None

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[L]; -inf where `mask` [L] is false."""
        legal = to_directions(mask.reshape(-1), graph)
        order = torch.argsort(graph.edge_index[0], stable=True)
        out_edges = Segments.from_lengths(torch.bincount(graph.edge_index[0], minlength=graph.num_nodes))
        source, destination = graph.edge_index[:, order]

        first = self.source(embedding, graph, mask).squeeze(1)
        first = first.masked_fill(segment_sum(legal[order], out_edges) == 0, -torch.inf)
        query, key = self.destination.project(embedding.nodes)
        hidden = query[source] + key[destination]
        if self.edge is not None and embedding.edges is not None:
            hidden = hidden + self.edge(embedding.edges[order])
        second = self.destination.score(hidden.relu_()).squeeze(1).masked_fill(~legal[order], -torch.inf)

        joint = segment_log_softmax(first, graph.node_segments)[source] + segment_log_softmax(second, out_edges)
        log_probs = torch.empty_like(joint).index_copy(0, order, joint)
        return log_add_directions(log_probs, graph, mask.reshape(-1))


class TwoStagePairs(nn.Module):
    """The ordered pairs of each graph's nodes as source, then destination given the source.

    The destination is scored by the `random_walks` from the source to it too, up to so many steps; 0 for by the nodes
    alone.
    """

    gives: Gives = "log-probabilities"

    def __init__(self, width: int, pooling: Pooling, walks: int = 0) -> None:
        super().__init__()
        self.source = NodeScore(width, 1, pooling)
        self.destination = DestinationScore(width)
        self.walks = nn.Linear(walks, width, bias=False) if walks else None

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> SourceThenDestination:
        """mask: [P] bool over all ordered pairs."""
        nodes = graph.node_segments
        source = RaggedCategorical(self.source(embedding, graph, mask).squeeze(1), nodes, any_in_row(mask, nodes))
        query, key = self.destination.project(embedding.nodes)
        pair_start = pair_segments(graph).ptr[:-1]

        def destination_given(chosen: Tensor) -> RaggedCategorical:
            place = chosen.clamp(min=0)
            pair = (pair_start + place * nodes.lengths)[nodes.index] + nodes.position
            legal = mask[pair] & (chosen >= 0)[nodes.index]
            start = (graph.node_ptr[:-1] + place)[nodes.index]
            hidden = key + query[start]
            if self.walks is not None:
                ends = torch.stack([start, torch.arange(graph.num_nodes, device=graph.device)])
                hidden = hidden + self.walks(random_walks(ends, graph, self.walks.in_features))
            return RaggedCategorical(self.destination.score(hidden.relu_()).squeeze(1), nodes, legal)

        return SourceThenDestination(source, destination_given)


class DestinationScore(nn.Module):
    """MLP on [source ‖ destination], whose first layer is computed once a node."""

    def __init__(self, width: int, columns: int = 1) -> None:
        super().__init__()
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width)
        self.score = small_linear(width, columns)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The shares of a node as source and as destination in the first layer, [N, width] each."""
        return self.query(x), self.key(x)


class PairScore(nn.Module):
    """MLP on [source ‖ destination ‖ `random_walks` between them] of every legal pair: `columns` scores each."""

    gives: Gives = "scores"

    def __init__(self, width: int, columns: int = 1, walks: int = 0) -> None:
        super().__init__()
        self.destination = DestinationScore(width, columns)
        self.walks = nn.Linear(walks, width, bias=False) if walks else None

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """Like `mask`: [P] or [P, columns]; 0 where no candidate of the pair is legal."""
        query, key = self.destination.project(embedding.nodes)
        source, destination = pair_ends(graph)
        rows = _legal_rows(mask)
        ends = torch.stack([source[rows], destination[rows]])
        known = () if self.walks is None else (random_walks(ends, graph, self.walks.in_features), self.walks.weight)
        scores = pair_scores(query, key, ends, self.destination.score.weight, *known)
        return scores.new_zeros(mask.shape[0], scores.shape[1]).index_copy(0, rows, scores).view(mask.shape)


class UnorderedPairScore(nn.Module):
    """MLP on [u + v ‖ `random_walks` between them] of every legal unordered pair: `columns` scores.

    They are the same, whichever is called u.

    Only pairs that have a legal candidate cost anything.
    """

    gives: Gives = "scores"

    def __init__(self, width: int, columns: int, walks: int = 0) -> None:
        super().__init__()
        self.node = nn.Linear(width, width)
        self.walks = nn.Linear(walks, width, bias=False) if walks else None
        self.score = small_linear(width, columns)

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """Like `mask`: [P] or [P, columns]; 0 where no candidate of the pair is legal."""
        rows = _legal_rows(mask)
        pairs = unordered_pair_segments(graph)
        u, v = unordered_pair_nodes(pairs.position[rows])
        start = graph.node_ptr[:-1][pairs.index[rows]]
        hidden = self.node(embedding.nodes)
        ends = torch.stack([start + v, start + u])  # pairs of the same v stand side by side
        known = (
            ()
            if self.walks is None
            else (random_walks_either_way(ends, graph, self.walks.in_features), self.walks.weight)
        )
        scores = pair_scores(hidden, hidden, ends, self.score.weight, *known)
        return scores.new_zeros(mask.shape[0], scores.shape[1]).index_copy(0, rows, scores).view(mask.shape)


class GaussianPair(nn.Module):
    """Two proto-actions with spreads: the log-densities of a node under the first, as source, and under the second.

    The score of a pair is the sum of its source's and its destination's, so that it costs one number a pair.
    An MLP of the pooled embedding predicts the means and the logarithms of the spreads. Normalised over the legal
    pairs, these are exact probabilities, with no search for the nearest nodes of a drawn pair of vectors.
    """

    def __init__(self, width: int, pooling: Pooling) -> None:
        super().__init__()
        self.pool = Pool(pooling, width)
        self.proto = nn.Sequential(nn.Linear(self.pool.out_width, width), nn.ReLU(), nn.Linear(width, 2 * width + 2))
        self.scale = math.sqrt(width)  # of a normalised embedding; densities are of order 1 at first

    def forward(self, embedding: Embedding, graph: GraphBatch) -> tuple[Tensor, Tensor]:
        """[N] log-density of each node as source, and as destination."""
        proto = self.proto(embedding.pooled(self.pool, graph))
        mean, log_spread = proto[:, :-2].unflatten(1, (2, -1)), proto[:, -2:]
        distance = (embedding.nodes.unsqueeze(1) - mean[graph.node_graph]).square().sum(-1)
        density = -0.5 * distance * (-2 * log_spread).exp()[graph.node_graph] / self.scale**2
        return density[:, 0], density[:, 1]


class GaussianEdgeScore(nn.Module):
    """`GaussianPair` over the edges, [L]; an undirected edge has the summed density of both directions."""

    gives: Gives = "log-densities"

    def __init__(self, width: int, pooling: Pooling) -> None:
        super().__init__()
        self.pair = GaussianPair(width, pooling)

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[L]; -inf where `mask` [L] is false."""
        source, destination = self.pair(embedding, graph)
        density = source[graph.edge_index[0]] + destination[graph.edge_index[1]]
        return log_add_directions(density, graph, mask.reshape(-1))


class GaussianPairScore(nn.Module):
    """`GaussianPair` over all ordered pairs of nodes, [P]."""

    gives: Gives = "log-densities"

    def __init__(self, width: int, pooling: Pooling) -> None:
        super().__init__()
        self.pair = GaussianPair(width, pooling)

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[P]."""
        source, destination = self.pair(embedding, graph)
        one, other = pair_ends(graph)
        return source[one] + destination[other]


def _legal_rows(mask: Tensor) -> Tensor:
    """[S] int64: the rows of `mask` [P] or [P, columns] with a legal candidate."""
    return (mask.any(1) if mask.dim() > 1 else mask).nonzero().squeeze(1)
