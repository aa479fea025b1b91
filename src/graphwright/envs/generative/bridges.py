"""Bridges: edges without which a graph falls apart."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import jit_as_written


def find_bridges(graph: GraphBatch) -> Tensor:
    """[E] bool: which edges of an undirected graph without parallel edges are bridges; both directions alike.

    Depth-first search (Tarjan 1974, "A note on finding the bridges of a graph"): O(N + E).
    """
    bridge = torch.zeros(graph.num_edges, dtype=torch.bool)
    start = graph.edge_ptr[:-1][graph.edge_graph]
    opposite = graph.edges["reverse"] + start
    _mark_bridges(
        graph.in_edges.ptr.numpy(), graph.edge_index[0].contiguous().numpy(), opposite.numpy(), bridge.numpy()
    )
    return bridge


@jit_as_written
def _mark_bridges(row_ptr, source, opposite, bridge):  # type: ignore[no-untyped-def]
    """row_ptr: [N + 1], the edges that end in each node; source, opposite: [E]; bridge: [E] bool, gets the result."""
    num_nodes = row_ptr.shape[0] - 1
    order = np.zeros(num_nodes, np.int64)  # when a node was first seen, from 1
    low = np.empty(num_nodes, np.int64)  # the earliest node that its subtree reaches
    entry = np.empty(num_nodes, np.int64)  # the edge from a node to its parent
    next_edge = row_ptr[:-1].copy()
    stack = np.empty(num_nodes, np.int64)
    seen = 0
    for root in range(num_nodes):
        if order[root]:
            continue
        seen += 1
        order[root] = low[root] = seen
        entry[root] = -1
        stack[0] = root
        depth = 1
        while depth:
            node = stack[depth - 1]
            if next_edge[node] < row_ptr[node + 1]:
                edge = next_edge[node]
                next_edge[node] += 1
                if edge == entry[node]:
                    continue
                neighbour = source[edge]
                if order[neighbour]:
                    low[node] = min(low[node], order[neighbour])
                else:
                    seen += 1
                    order[neighbour] = low[neighbour] = seen
                    entry[neighbour] = opposite[edge]
                    stack[depth] = neighbour
                    depth += 1
            else:
                depth -= 1
                if depth:
                    parent = stack[depth - 1]
                    low[parent] = min(low[parent], low[node])
                    if low[node] > order[parent]:
                        bridge[entry[node]] = True
                        bridge[opposite[entry[node]]] = True
