"""What choosing each node costs more than the best choice, exactly, in states of small graphs."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written

MOST_NODES = 20
"""Nodes that may still cover something, of any graph: a table of all sets of them has a million entries."""


def regrets(uncovered: GraphBatch, weight: Tensor) -> Tensor:
    """[N] float64: what choosing each node costs more than the best cover that is still possible; 0 of a best choice.

    With f(S) the weight of the heaviest independent set within the nodes S, the lightest cover of what is left between
    the nodes R weighs w(R) − f(R). If a is chosen now, the lightest weighs w(R) − f(R without a): the regret of a is
    f(R) − f(R without a). A node without uncovered edges costs its weight for nothing. Of every set f is found from
    smaller ones, with or without its last node: 2^m numbers for m nodes that have uncovered edges.

    uncovered: undirected simple graphs of the uncovered edges. weight: [N] float, not negative.

    Raises ValueError for a graph of more than `MOST_NODES` such nodes.
    """
    graph = uncovered.to("cpu")
    exact = weight.double().cpu()
    inside = graph.in_degree > 0
    most = int(torch.bincount(graph.node_graph[inside]).max()) if bool(inside.any()) else 0
    if most > MOST_NODES:
        raise ValueError(
            f"--expert regrets: compares all covers of graphs of at most {MOST_NODES} nodes, and one has {most} that "
            "still cover something; lower --sizes, or take --expert solver"
        )
    found = exact.clone()
    _fill(*arrays(graph.node_ptr, graph.in_edges.ptr, graph.edge_index[0], exact, inside, found), 1 << most)
    return found.to(uncovered.device)


@jit_as_written
def _fill(node_ptr, ptr, source, weight, inside, found, size):  # type: ignore[no-untyped-def]
    heaviest, place = np.zeros(size), np.empty(inside.size, np.int64)
    for graph in range(node_ptr.size - 1):
        count = 0
        for node in range(node_ptr[graph], node_ptr[graph + 1]):
            if inside[node]:
                place[node] = count
                count += 1
        for node in range(node_ptr[graph], node_ptr[graph + 1]):
            if not inside[node]:
                continue
            own, neighbours = 1 << place[node], 0
            for e in range(ptr[node], ptr[node + 1]):
                neighbours |= 1 << place[source[e]]
            for others in range(own):  # sets of the nodes before it
                chosen = weight[node] + heaviest[others & ~neighbours]
                heaviest[own | others] = max(heaviest[others], chosen)
        every = (1 << count) - 1
        for node in range(node_ptr[graph], node_ptr[graph + 1]):
            if inside[node]:
                found[node] = heaviest[every] - heaviest[every & ~(1 << place[node])]
