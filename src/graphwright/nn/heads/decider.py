"""What decides, as heads and critics of decisions see it: the embedding of a node or a link, beside its graph's."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graphwright.core import GraphBatch, RowKind
from graphwright.core.rows import EDGES, NODES
from graphwright.core.segment import segment_max
from graphwright.nn.encoders import Embedding
from graphwright.nn.heads.edge import add_directions
from graphwright.nn.heads.gives import Gives
from graphwright.nn.heads.graph import whole_graph
from graphwright.nn.heads.node import small_linear
from graphwright.nn.kernels import neighbour_max
from graphwright.nn.pools import Pool, Pooling

_ROUNDS = 4


class NodeDecider(nn.Module):
    """A linear map of the deciding nodes' embeddings, [D, columns]."""

    def __init__(self, width: int, edge_width: int, columns: int) -> None:
        super().__init__()
        self.node = nn.Linear(width, columns)

    def forward(self, embedding: Embedding, graph: GraphBatch, row: Tensor) -> Tensor:
        """row: [D] int64, nodes."""
        return self.node(embedding.nodes.index_select(0, row))


class LinkDecider(nn.Module):
    """A linear map of [source + destination ‖ edge], whichever way round an undirected edge is stored, [D, columns]."""

    def __init__(self, width: int, edge_width: int, columns: int) -> None:
        super().__init__()
        self.ends = nn.Linear(width, columns)
        self.edge = nn.Linear(edge_width, columns, bias=False) if edge_width else None

    def forward(self, embedding: Embedding, graph: GraphBatch, row: Tensor) -> Tensor:
        """row: [D] int64, places in `links`."""
        source, destination = embedding.nodes[graph.edge_index[:, graph.links[0][row]]]
        x = self.ends(source + destination)
        if self.edge is not None and embedding.edges is not None:
            x = x + self.edge(add_directions(embedding.edges, graph)[row])
        return x


_READERS: dict[RowKind, type[NodeDecider | LinkDecider]] = {NODES: NodeDecider, EDGES: LinkDecider}


def decider_reader(
    decider: RowKind, width: int, edge_width: int, columns: int | None = None
) -> NodeDecider | LinkDecider:
    """What makes a row [D, columns] of each decider of that kind, called with the embedding, the graph and its rows.

    columns: `width` where nothing is said.
    """
    return _READERS[decider](width, edge_width, width if columns is None else columns)


class DeciderHidden(nn.Module):
    """relu of a linear map of [decider ‖ graph]: the hidden layer of what is said of each decision, [D, width].

    graph_width: columns of the graph that are read beside the pooled nodes.
    """

    def __init__(self, decider: RowKind, width: int, edge_width: int, pooling: Pooling, graph_width: int = 0) -> None:
        super().__init__()
        self.decider = decider
        self.pool = Pool(pooling, width)
        self.reads_columns = graph_width > 0
        self.own = decider_reader(decider, width, edge_width)
        self.graph = nn.Linear(self.pool.out_width + graph_width, width, bias=False)

    def forward(self, embedding: Embedding, graph: GraphBatch) -> Tensor:
        """[D, width]."""
        row, graphs = self.decider.deciders(graph)
        context = self.graph(whole_graph(self.pool, embedding, graph, self.reads_columns))
        return (self.own(embedding, graph, row) + context.index_select(0, graphs.index)).relu_()


class DeciderScore(nn.Module):
    """MLP on [decider ‖ graph]: `columns` scores for each decision, [D, columns]."""

    gives: Gives = "scores"

    def __init__(self, hidden: DeciderHidden, width: int, columns: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.score = small_linear(width, columns)

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[D, columns]."""
        return self.score(self.hidden(embedding, graph))


class OwnHidden(nn.Module):
    """relu of a linear map of what decides alone, which sees as far as the encoder: what says nothing of its graph."""

    def __init__(self, decider: RowKind, width: int, edge_width: int) -> None:
        super().__init__()
        self.decider = decider
        self.reader = decider_reader(decider, width, edge_width)

    def hidden(self, embedding: Embedding, graph: GraphBatch) -> Tensor:
        """[D, width]."""
        row, _ = self.decider.deciders(graph)
        return self.reader(embedding, graph, row).relu()


class OwnScore(OwnHidden):
    """MLP on the embedding of what decides alone: `columns` scores for each decision, [D, columns]."""

    gives: Gives = "scores"

    def __init__(self, decider: RowKind, width: int, edge_width: int, columns: int) -> None:
        super().__init__(decider, width, edge_width)
        self.score = small_linear(width, columns)

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[D, columns]."""
        return self.score(self.hidden(embedding, graph))


class LinearDeciderScore(nn.Module):
    """Weights on the embedding of what decides alone, or of each link where nothing acts and graphs do: [D, columns].

    With an encoder of depth 0 and without normalisation, a linear function of the columns that a decider has.
    """

    gives: Gives = "scores"

    def __init__(self, decider: RowKind, width: int, edge_width: int, columns: int) -> None:
        super().__init__()
        self.decider = decider
        self.score = decider_reader(decider, width, edge_width, columns)
        for parameter in self.score.parameters():
            nn.init.normal_(parameter, std=0.01)  # as `small_linear`; columns of a decision differ by a bias too

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[D, columns]."""
        row, _ = self.decider.deciders(graph)
        return self.score(embedding, graph, row)


class RivalScore(nn.Module):
    """The scores of `DeciderScore`, of which neighbours see each other's leads over the first column: [D, columns].

    In any action but the first nodes are rivals. In each of four rounds a node whose lead is above those of all its
    neighbours wins, and its neighbours are out; then those that are left compare theirs again, as the greedy set of
    Zhao et al. 2021 ("Distributed scheduling using graph neural networks") is made. A node keeps by how much it is
    above those that were left when it won or was out, or above 0. So no two neighbours prefer the same action to the
    first, and few stay idle who could have acted. The first column is as it was: scores may be Q-values, free to move.
    """

    gives: Gives = "scores"

    def __init__(self, own: DeciderScore) -> None:
        super().__init__()
        self.own = own

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[D, columns]; mask: the same, which of them are possible."""
        score, (nodes, _) = self.own(embedding, graph, mask), graph.acting_nodes
        lead = score[:, 1:] - score[:, :1]
        shown = lead.new_zeros(graph.num_nodes, lead.shape[1])
        shown = shown.index_copy(0, nodes, lead.relu().masked_fill(~mask[:, 1:], 0))
        until, (source, end) = _decided(shown.detach(), graph), graph.edge_index
        rivals = segment_max(shown[source].masked_fill(until[source] < until[end], 0), graph.in_edges)
        ahead = lead - rivals.index_select(0, nodes)
        return torch.cat([score[:, :1], score[:, :1] + ahead], dim=1)  # no rounding puts ahead what is behind


def _decided(shown: Tensor, graph: GraphBatch) -> Tensor:
    """[N, columns] int64: the round, from 0, in which a node wins or is out; the last where it is left till then."""
    last = _ROUNDS - 1
    decided = torch.full_like(shown, last, dtype=torch.int64)
    for turn in range(last):
        left = shown.masked_fill(decided < last, 0)
        wins = left > neighbour_max(left, graph)
        out = neighbour_max(wins.to(shown.dtype), graph) > 0
        decided = torch.where((decided == last) & (wins | out), turn, decided)
    return decided
