"""Scores of edges by a network on the line graph, whose nodes are the edges and whose edges are their meetings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graphwright.core import GraphBatch, Segments, from_edges
from graphwright.nn.encoders import Embedding
from graphwright.nn.heads.edge import add_directions
from graphwright.nn.heads.gives import Gives
from graphwright.nn.heads.node import NodeScore
from graphwright.nn.layer_norm import LayerNorm
from graphwright.nn.layers import GraphConv
from graphwright.nn.pools import Pooling

_ROUNDS = 2


class LineGraphScore(nn.Module):
    """An edge begins as [source + destination ‖ edge]; two rounds of messages between edges that meet; [L, columns].

    The line graph of a node of degree d has d (d − 1) edges around it: use another head where hubs are large.
    """

    gives: Gives = "scores"

    def __init__(self, width: int, edge_width: int, columns: int, pooling: Pooling) -> None:
        super().__init__()
        self.node = nn.Linear(width, width)
        self.edge = nn.Linear(edge_width, width, bias=False) if edge_width else None
        self.norms = nn.ModuleList(LayerNorm(width) for _ in range(_ROUNDS))
        self.rounds = nn.ModuleList(GraphConv(width, 0, "mean") for _ in range(_ROUNDS))
        self.score = NodeScore(width, columns, pooling)

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> Tensor:
        """[L, columns]."""
        lines = line_graph(graph)
        x = self.node(embedding.nodes[graph.edge_index[:, graph.links[0]]].sum(0))
        if self.edge is not None and embedding.edges is not None:
            x = x + self.edge(add_directions(embedding.edges, graph))
        for norm, layer in zip(self.norms, self.rounds, strict=True):
            x = x + layer(norm(x), None, lines).relu_()
        return self.score(Embedding(x, None), lines, mask)


def line_graph(graph: GraphBatch) -> GraphBatch:
    """A node for each link of `graph`, in the order of `links`; two are joined where they share an end.

    An edge joins them for each shared end, so parallel links are joined twice. Directions are forgotten.
    """
    rows, links = graph.links
    ends = graph.edge_index[:, rows]
    loop = ends[0] == ends[1]
    number = torch.arange(rows.numel(), device=graph.device)
    node = torch.cat([ends[0], ends[1][~loop]])
    link = torch.cat([number, number[~loop]])
    order = torch.argsort(node, stable=True)
    link = link[order]
    around = Segments.from_lengths(torch.bincount(node, minlength=graph.num_nodes))
    # Around each node, each link with every later one.
    later = around.ptr[1:][around.index] - 1 - torch.arange(link.numel(), device=graph.device)
    pairs = Segments.from_lengths(later)
    first = pairs.index
    return from_edges(torch.stack([link[first], link[first + 1 + pairs.position]]), links.lengths, undirected=True)
