"""Edits of many graphs at once: nodes appended or taken out, edges taken out. Edges stay sorted."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Segments
from graphwright.core.graph import Columns


def append_nodes(graph: GraphBatch, chosen: Tensor, nodes: Columns) -> GraphBatch:
    """`graph` with one more node, the last, in each graph where `chosen` [B] bool is true.

    nodes: name → [S, ...], all node columns of the S new nodes. Edge order does not change: no edge ends in them.
    """
    segments = Segments.from_lengths(graph.node_segments.lengths + chosen)
    new = segments.ptr[1:][chosen] - 1
    is_new = torch.zeros(segments.num_rows, dtype=torch.bool, device=graph.device)
    is_new[new] = True
    old = (~is_new).nonzero().squeeze(1)

    def merge(column: Tensor, added: Tensor) -> Tensor:
        merged = column.new_empty(segments.num_rows, *column.shape[1:])
        merged[old], merged[new] = column, added.to(column)
        return merged

    columns = {name: merge(column, nodes[name]) for name, column in graph.nodes.items()}
    return GraphBatch.trusted(
        old[graph.edge_index], segments, graph.edge_segments, nodes=columns, edges=graph.edges, graphs=graph.graphs
    )


def keep_nodes(graph: GraphBatch, kept: Tensor) -> GraphBatch:
    """The subgraphs that the nodes where `kept` [N] bool is true span, in their order."""
    edited = keep_edges(graph, kept[graph.edge_index].all(0))
    rows = kept.nonzero().squeeze(1)
    place = kept.cumsum(0) - 1
    node_ptr = torch.searchsorted(rows, graph.node_ptr)
    columns = {name: column[rows] for name, column in graph.nodes.items()}
    return replace(edited, edge_index=place[edited.edge_index], node_ptr=node_ptr, nodes=columns)


def keep_edges(graph: GraphBatch, kept: Tensor) -> GraphBatch:
    """The edges where `kept` [E] bool is true; of an undirected edge both directions or neither."""
    rows = kept.nonzero().squeeze(1)
    edge_ptr = torch.searchsorted(rows, graph.edge_ptr)
    columns = {name: column[rows] for name, column in graph.edges.items()}
    if "reverse" in columns:
        owner = graph.edge_graph[rows]
        place = kept.cumsum(0) - 1
        columns["reverse"] = place[columns["reverse"] + graph.edge_ptr[:-1][owner]] - edge_ptr[:-1][owner]
    return GraphBatch.trusted(
        graph.edge_index[:, rows],
        graph.node_segments,
        Segments(edge_ptr),
        nodes=graph.nodes,
        edges=columns,
        graphs=graph.graphs,
    )
