"""Graphs as rows of a ring and back. Edges are counted from the first node of their graph: moving changes none."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.runs import to_own_ends, to_union_ends
from graphwright.data.ring import Group, Rows

_ENDS = "ends"  # [E, 2]: source and destination


def graph_to_rows(graph: GraphBatch, **columns: Tensor) -> Rows:
    """A row for each graph, with further `columns` [B, ...] beside its own. No graph has 2³¹ nodes or edges."""
    ends = to_own_ends(graph.edge_index, graph.edge_ptr, graph.node_ptr)
    edges = {name: column.to(torch.int32) if name == "reverse" else column for name, column in graph.edges.items()}
    if _ENDS in edges:
        raise ValueError(f"an edge column must not be called {_ENDS!r} in a ring; give it another name")
    groups = {
        "nodes": Group(graph.node_segments, graph.nodes),
        "edges": Group(graph.edge_segments, {**edges, _ENDS: ends}),
    }
    return Rows(graph.num_graphs, {**graph.graphs, **columns}, groups)


def rows_to_graph(rows: Rows) -> GraphBatch:
    """The graphs that `graph_to_rows` took; all columns of the rows are columns of the graphs."""
    nodes, edges = rows.groups["nodes"], rows.groups["edges"]
    columns = dict(edges.columns)
    edge_index = to_union_ends(columns.pop(_ENDS), edges.segments.ptr, nodes.segments.ptr)
    if "reverse" in columns:
        columns["reverse"] = columns["reverse"].long()
    return GraphBatch.trusted(
        edge_index, nodes.segments, edges.segments, nodes=nodes.columns, edges=columns, graphs=rows.columns
    )
