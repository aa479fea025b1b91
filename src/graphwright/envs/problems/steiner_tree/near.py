"""The terminals around each node: which they are and how far apart, which no step changes."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Segments
from graphwright.core.segment import segment_sum, segment_topk

NEAR = 6
"""How many terminals of its surroundings a node knows."""


def with_near_terminals(graph: GraphBatch) -> GraphBatch:
    """`graph` with what its nodes know of their nearest terminals, as node columns.

    number: [N] int64, of each terminal among those of its graph, -1 at other nodes. near: [N, NEAR] int64, the numbers
    of the nearest terminals, the nearest first, -1 where there are fewer. near_distance: [N, NEAR] float, how far these
    are. near_between: [N, NEAR, NEAR], how far from each other. What is not there is infinitely far.

    graph: with the node column `terminal` and the edge column `length`. Takes memory for the distance of each end of
    each edge to each terminal of its graph.
    """
    terminal = graph.nodes["terminal"].nonzero().squeeze(1)
    count = segment_sum(graph.nodes["terminal"], graph.node_segments)
    number = torch.full_like(graph.node_graph, -1)
    number[terminal] = Segments.from_lengths(count).position

    table = Segments.from_lengths(count[graph.node_graph])  # a row for each node and terminal of its graph
    distance = _distances(graph, count, table, terminal, number)
    near = segment_topk(-distance, table, NEAR)
    there = near_rows(graph.with_nodes(number=number, near=near))
    absent = near < 0
    begin = table.ptr[:-1]
    own = torch.where(absent, 0, begin.unsqueeze(1) + near)
    no_pair = absent.unsqueeze(1) | absent.unsqueeze(2)
    pair = torch.where(no_pair, 0, begin[there].unsqueeze(2) + near.unsqueeze(1))
    return graph.with_nodes(
        number=number,
        near=near,
        near_distance=distance[own].masked_fill(absent, torch.inf),
        near_between=distance[pair].masked_fill(no_pair, torch.inf),
    )


def near_rows(graph: GraphBatch) -> Tensor:
    """[N, NEAR] int64: the rows of the nodes that `near` numbers; of the first terminal where there is none."""
    first = Segments.from_lengths(segment_sum(graph.nodes["terminal"], graph.node_segments)).ptr[:-1]
    terminal = graph.nodes["terminal"].nonzero().squeeze(1)
    row = torch.empty_like(terminal)
    row[first[graph.node_graph[terminal]] + graph.nodes["number"][terminal]] = terminal
    return row[first[graph.node_graph].unsqueeze(1) + graph.nodes["near"].clamp(min=0)]


def _distances(graph: GraphBatch, count: Tensor, table: Segments, terminal: Tensor, number: Tensor) -> Tensor:
    """[rows of `table`]: the distance of each node to each terminal, as in `shortest_distance`."""
    begin = table.ptr[:-1]
    pairs = Segments.from_lengths(count[graph.edge_graph])  # a row for each edge and terminal of its graph
    source, destination = begin[graph.edge_index[:, pairs.index]] + pairs.position
    length = graph.edges["length"][pairs.index]
    distance = length.new_full((table.num_rows,), torch.inf)
    distance[begin[terminal] + number[terminal]] = 0
    while True:
        shorter = distance.scatter_reduce(0, destination, distance[source] + length, "amin")
        if torch.equal(shorter, distance):
            return distance
        distance = shorter
