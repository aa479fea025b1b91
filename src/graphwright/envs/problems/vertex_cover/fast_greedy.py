"""The greedy cover at the cost of what each choice changes, for graphs of any size."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.core.largest import fill_tree, first_of_largest, update_tree


def greedy_cover(instances: GraphBatch, weight: Tensor) -> Tensor:
    """[N] bool: always the node of least weight per newly covered edge (Chvátal 1979), the first of equals.

    instances: undirected simple graphs. weight: [N] float32.
    """
    graph = instances.to("cpu")
    selected = torch.zeros(graph.num_nodes, dtype=torch.bool)
    _cover(*arrays(graph.node_ptr, graph.in_edges.ptr, graph.edge_index[0], weight.cpu(), selected))
    return selected.to(instances.device)


@jit_as_written
def _cover(node_ptr, ptr, source, weight, selected):  # type: ignore[no-untyped-def]
    row, value = np.empty(1, np.int64), np.empty(1, np.float64)
    for graph in range(node_ptr.size - 1):
        begin, size = node_ptr[graph], node_ptr[graph + 1] - node_ptr[graph]
        leaves = 1
        while leaves < size:
            leaves *= 2
        tree, degree = np.full(2 * leaves, -np.inf), np.empty(size, np.int64)
        for node in range(size):
            degree[node] = ptr[begin + node + 1] - ptr[begin + node]
            if degree[node]:
                tree[leaves + node] = -(weight[begin + node] / np.float32(degree[node]))
        fill_tree(tree)
        while tree[1] > -np.inf:
            node = first_of_largest(tree)
            selected[begin + node] = True
            row[0], value[0] = node, -np.inf
            update_tree(tree, row, value)
            for e in range(ptr[begin + node], ptr[begin + node + 1]):
                other = source[e] - begin
                if not selected[source[e]]:
                    degree[other] -= 1
                    row[0], value[0] = other, -np.inf
                    if degree[other]:
                        value[0] = -(weight[source[e]] / np.float32(degree[other]))
                    update_tree(tree, row, value)
