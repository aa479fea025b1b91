"""The greedy independent set at the cost of what each choice changes, for graphs of any size."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import jit_as_written
from graphwright.core.largest import empty_tree, fill_tree, first_of_largest, update_tree
from graphwright.envs.chosen_nodes import chosen_by


def greedy_set(instances: GraphBatch, weight: Tensor) -> Tensor:
    """[N] bool: always the free node of greatest weight for each node that it takes away, the first of equals.

    instances: undirected simple graphs. weight: [N] float32.
    """
    return chosen_by(_choose, instances, weight)


@jit_as_written
def _choose(node_ptr, ptr, source, weight, selected):  # type: ignore[no-untyped-def]
    row, value = np.empty(1, np.int64), np.empty(1, np.float64)
    for graph in range(node_ptr.size - 1):
        begin, size = node_ptr[graph], node_ptr[graph + 1] - node_ptr[graph]
        tree, degree = empty_tree(size), np.empty(size, np.int64)
        leaves = tree.size // 2
        for node in range(size):
            degree[node] = ptr[begin + node + 1] - ptr[begin + node]
            tree[leaves + node] = weight[begin + node] / np.float32(degree[node] + 1)
        fill_tree(tree)
        while tree[1] > -np.inf:
            node = first_of_largest(tree)
            selected[begin + node] = True
            row[0], value[0] = node, -np.inf
            update_tree(tree, row, value)
            for e in range(ptr[begin + node], ptr[begin + node + 1]):
                taken = source[e] - begin
                if tree[leaves + taken] == -np.inf:
                    continue
                row[0], value[0] = taken, -np.inf
                update_tree(tree, row, value)
                for f in range(ptr[source[e]], ptr[source[e] + 1]):
                    other = source[f] - begin
                    if tree[leaves + other] > -np.inf:
                        degree[other] -= 1
                        row[0], value[0] = other, weight[source[f]] / np.float32(degree[other] + 1)
                        update_tree(tree, row, value)
