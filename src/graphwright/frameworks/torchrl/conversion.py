"""Dense tensors ↔ ragged graphs, without loops.

Dense: B graphs of at most n nodes as [B, n, ...], with their edges as indices [B, 2, e] or as an adjacency [B, n, n].
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError, Segments, from_edges
from graphwright.frameworks.schema import spread


def take(dense: Tensor, segments: Segments, name: str = "tensor") -> Tensor:
    """The first rows of each group, one group after the other: [B, n, ...] → [M, ...].

    Raises GraphError, with its name, where a group has more rows than there are.
    """
    width = dense.shape[1]
    _check_width(segments, width, name)
    return dense.flatten(0, 1)[segments.index * width + segments.position]


def fill(values: Tensor, segments: Segments, width: int, padding: float = 0.0) -> Tensor:
    """The opposite of `take`: [M, ...] → [B, width, ...], with `padding` where a group has no more rows."""
    _check_width(segments, width, "tensor")
    return spread(values, segments, width, padding)


def from_edge_index(
    edge_index: Tensor, num_nodes: Tensor, num_edges: Tensor | None = None, edges: Mapping[str, Tensor] | None = None
) -> GraphBatch:
    """The directed graphs of `edge_index` [B, 2, e], source and destination counted from 0 in each graph.

    num_nodes: [B]. num_edges: [B], how many of the first edges are meant; all, if it is not given. edges: columns
    [B, e, ...] in the order of `edge_index`.

    Raises GraphError for an edge to a node that its graph does not have.
    """
    num_graphs, _, width = edge_index.shape
    if num_edges is None:
        num_edges = num_nodes.new_full((num_graphs,), width)
    own = Segments.from_lengths(num_edges)
    ends = take(edge_index.transpose(1, 2).long(), own, "edge_index")
    size = num_nodes[own.index].unsqueeze(1)
    outside = ((ends < 0) | (ends >= size)).any(1).nonzero()
    if outside.numel():
        edge = int(outside[0])
        graph = int(own.index[edge])
        raise GraphError(
            f"edge_index of graph {graph} joins nodes {ends[edge].tolist()}, but it has {int(num_nodes[graph])}; "
            "give num_edges where the last edges are padding"
        )
    nodes = Segments.from_lengths(num_nodes)
    columns = {name: take(column, own, name) for name, column in (edges or {}).items()}
    ends = (ends + nodes.ptr[:-1][own.index].unsqueeze(1)).t()
    return from_edges(ends, num_nodes, undirected=False, edges=columns)


def from_adjacency(adjacency: Tensor, num_nodes: Tensor, edges: Mapping[str, Tensor] | None = None) -> GraphBatch:
    """The directed graphs with an edge from u to v where `adjacency` [B, n, n] is not zero at [u, v].

    num_nodes: [B]. Rows and columns of nodes that a graph does not have are ignored. edges: columns [B, n, n, ...] by
    entry. What is not zero counts alike; give a weighted matrix as a column too.

    Raises GraphError where a graph has more nodes than there are rows and columns.
    """
    nodes = Segments.from_lengths(num_nodes)
    for width in adjacency.shape[1:]:
        _check_width(nodes, width, "adjacency")
    place = torch.arange(adjacency.shape[1], device=adjacency.device)
    exists = place < num_nodes.unsqueeze(1)
    graph, source, destination = ((adjacency != 0) & exists.unsqueeze(2) & exists.unsqueeze(1)).nonzero().unbind(1)
    start = nodes.ptr[:-1][graph]
    columns = {name: column[graph, source, destination] for name, column in (edges or {}).items()}
    ends = torch.stack([start + source, start + destination])
    return from_edges(ends, num_nodes, undirected=False, edges=columns)


def to_edge_index(graph: GraphBatch, width: int) -> Tensor:
    """[B, 2, width] int64: the edges of each graph, counted from 0 in it and sorted by destination, then zeros."""
    ends = graph.edge_index - graph.node_ptr[:-1][graph.edge_graph]
    return fill(ends.t(), graph.edge_segments, width).transpose(1, 2)


def to_adjacency(graph: GraphBatch, width: int) -> Tensor:
    """[B, width, width] bool: whether an edge leads from u to v; parallel edges become one."""
    _check_width(graph.node_segments, width, "adjacency")
    source, destination = graph.edge_index - graph.node_ptr[:-1][graph.edge_graph]
    adjacency = torch.zeros(graph.num_graphs, width, width, dtype=torch.bool, device=graph.device)
    adjacency[graph.edge_graph, source, destination] = True
    return adjacency


def _check_width(segments: Segments, width: int, name: str) -> None:
    if bool((segments.lengths > width).any()):
        raise GraphError(f"{name}: a graph has {int(segments.lengths.max())} rows, there is room for {width}")
