"""The greedy cover at the cost of what each choice changes, for graphs of any size."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import jit_as_written
from graphwright.core.largest import empty_tree, fill_tree, first_of_largest, update_tree
from graphwright.envs.chosen_nodes import chosen_by


def greedy_cover(instances: GraphBatch, weight: Tensor) -> Tensor:
    """[N] bool: always the node of least weight per newly covered edge (Chvátal 1979), the first of equals.

    instances: undirected simple graphs. weight: [N] float32.
    """
    return chosen_by(_cover, instances, weight)


@jit_as_written
def _cover(node_ptr, ptr, source, weight, selected):  # type: ignore[no-untyped-def]
    row, value = np.empty(1, np.int64), np.empty(1, np.float64)
    for graph in range(node_ptr.size - 1):
        begin, size = node_ptr[graph], node_ptr[graph + 1] - node_ptr[graph]
        tree, degree = empty_tree(size), np.empty(size, np.int64)
        leaves = tree.size // 2
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
