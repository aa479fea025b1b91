"""Graphs taken out of a disjoint union: their nodes and edges, in one walk over both tables."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
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
    found = _select(*arrays(node_ptr, edge_ptr, edge_index, index))
    if found is None:
        raise IndexError(f"graphs {int(index.min())} to {int(index.max())} of {node_ptr.numel() - 1}")
    return Selection(*map(torch.from_numpy, found))


def select_graphs_reference(node_ptr: Tensor, edge_ptr: Tensor, edge_index: Tensor, index: Tensor) -> Selection:
    """`select_graphs` by torch and the bookkeeping of groups."""
    nodes, node_rows, node_graph = select_groups(node_ptr, index)
    edges, edge_rows, edge_graph = select_groups(edge_ptr, index)
    shift = nodes[:-1] - node_ptr[:-1][index]
    ends = edge_index.index_select(1, edge_rows) + shift[edge_graph]
    return Selection(nodes, node_rows, node_graph, edges, edge_rows, edge_graph, ends)


@jit_as_written
def _select(node_ptr, edge_ptr, edge_index, index):  # type: ignore[no-untyped-def]
    """What a `Selection` holds, in its order, in arrays of its own; None where there is no such graph."""
    num_graphs = node_ptr.size - 1
    nodes, edges = np.zeros(index.size + 1, np.int64), np.zeros(index.size + 1, np.int64)
    for s in range(index.size):
        g = index[s] if index[s] >= 0 else index[s] + num_graphs
        if g < 0 or g >= num_graphs:
            return None
        nodes[s + 1] = nodes[s] + node_ptr[g + 1] - node_ptr[g]
        edges[s + 1] = edges[s] + edge_ptr[g + 1] - edge_ptr[g]
    num_nodes, num_edges = nodes[index.size], edges[index.size]
    node_rows, node_graph = np.empty(num_nodes, np.int64), np.empty(num_nodes, np.int64)
    edge_rows, edge_graph = np.empty(num_edges, np.int64), np.empty(num_edges, np.int64)
    ends = np.empty((2, num_edges), np.int64)
    for s in range(index.size):
        g = index[s] if index[s] >= 0 else index[s] + num_graphs
        node_shift, edge_shift = node_ptr[g] - nodes[s], edge_ptr[g] - edges[s]
        for k in range(nodes[s], nodes[s + 1]):
            node_rows[k] = k + node_shift
            node_graph[k] = s
        for k in range(edges[s], edges[s + 1]):
            edge_rows[k] = k + edge_shift
            edge_graph[k] = s
            ends[0, k] = edge_index[0, k + edge_shift] - node_shift
            ends[1, k] = edge_index[1, k + edge_shift] - node_shift
    return nodes, node_rows, node_graph, edges, edge_rows, edge_graph, ends
