"""Graphs taken out of a disjoint union: their nodes and edges, in one walk over both tables."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from graphwright.core.kernels.groups import select_groups
from graphwright.core.kernels.jit import arrays, jit_as_written


class Selection(NamedTuple):
    """S graphs with N nodes and E edges. node_ptr, edge_ptr: [S + 1], where those of each begin; node_rows [N],
    edge_rows [E]: the rows that they were; node_graph [N], edge_graph [E]: the graph of each; edge_index: [2, E]."""

    node_ptr: Tensor
    node_rows: Tensor
    node_graph: Tensor
    edge_ptr: Tensor
    edge_rows: Tensor
    edge_graph: Tensor
    edge_index: Tensor


def select_graphs(node_ptr: Tensor, edge_ptr: Tensor, edge_index: Tensor, index: Tensor) -> Selection:
    """The graphs at `index` [S] of a union of B: node_ptr, edge_ptr [B + 1], edge_index [2, E].

    Raises IndexError where there is no such graph; negative ones count from the end.
    """
    if not node_ptr.is_cpu:
        return select_graphs_reference(node_ptr, edge_ptr, edge_index, index)
    size = index.numel() + 1
    nodes, edges = node_ptr.new_empty(size), node_ptr.new_empty(size)
    num_nodes, num_edges = _pointers(*arrays(node_ptr, edge_ptr, index, nodes, edges))
    if num_nodes < 0:
        raise IndexError(f"graphs {int(index.min())} to {int(index.max())} of {node_ptr.numel() - 1}")
    node_rows, node_graph = node_ptr.new_empty(num_nodes), node_ptr.new_empty(num_nodes)
    edge_rows, edge_graph = node_ptr.new_empty(num_edges), node_ptr.new_empty(num_edges)
    ends = node_ptr.new_empty(2, num_edges)
    found = node_rows, node_graph, edge_rows, edge_graph, ends
    _rows(*arrays(node_ptr, edge_ptr, edge_index, index, nodes, edges, *found))
    return Selection(nodes, node_rows, node_graph, edges, edge_rows, edge_graph, ends)


def select_graphs_reference(node_ptr: Tensor, edge_ptr: Tensor, edge_index: Tensor, index: Tensor) -> Selection:
    """`select_graphs` by torch and the bookkeeping of groups."""
    nodes, node_rows, node_graph = select_groups(node_ptr, index)
    edges, edge_rows, edge_graph = select_groups(edge_ptr, index)
    shift = nodes[:-1] - node_ptr[:-1][index]
    ends = edge_index.index_select(1, edge_rows) + shift[edge_graph]
    return Selection(nodes, node_rows, node_graph, edges, edge_rows, edge_graph, ends)


@jit_as_written
def _pointers(node_ptr, edge_ptr, index, nodes, edges):  # type: ignore[no-untyped-def]
    """Write `nodes` and `edges`; how many rows those are, -1 where there is no such graph."""
    num_graphs = node_ptr.size - 1
    nodes[0] = edges[0] = 0
    for s in range(index.size):
        g = index[s] if index[s] >= 0 else index[s] + num_graphs
        if g < 0 or g >= num_graphs:
            return -1, -1
        nodes[s + 1] = nodes[s] + node_ptr[g + 1] - node_ptr[g]
        edges[s + 1] = edges[s] + edge_ptr[g + 1] - edge_ptr[g]
    return nodes[index.size], edges[index.size]


@jit_as_written
def _rows(  # type: ignore[no-untyped-def]
    node_ptr, edge_ptr, edge_index, index, nodes, edges, node_rows, node_graph, edge_rows, edge_graph, ends
):
    for s in range(index.size):
        g = index[s] if index[s] >= 0 else index[s] + node_ptr.size - 1
        node_shift, edge_shift = node_ptr[g] - nodes[s], edge_ptr[g] - edges[s]
        for k in range(nodes[s], nodes[s + 1]):
            node_rows[k] = k + node_shift
            node_graph[k] = s
        for k in range(edges[s], edges[s + 1]):
            edge_rows[k] = k + edge_shift
            edge_graph[k] = s
            ends[0, k] = edge_index[0, k + edge_shift] - node_shift
            ends[1, k] = edge_index[1, k + edge_shift] - node_shift
