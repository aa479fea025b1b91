"""Bounds on independent sets and vertex covers for graphs of any size: by cliques, and by linear programming."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written

_MOST_NEIGHBOURS = 256
"""Of a node, that are looked at for a clique around it, so that hubs cost no more than others."""


def clique_cover_bound(instances: GraphBatch, weight: Tensor) -> Tensor:
    """[B] float64: no independent set of the graph is heavier.

    An independent set has at most one node of a clique. So where cliques C with numbers y(C) cover every node, as
    Σ y(C) over the cliques of a node is at least its weight, Σ y bounds every independent set; and the weight of all
    nodes less Σ y is a lower bound of every vertex cover. Here the lightest uncovered node takes the clique that grows
    greedily around it, from the neighbours with most of their weight left; all of its nodes are covered that much more.

    instances: undirected simple graphs. weight: [N] float, not negative. Time: nearly linear in the edges.
    """
    graph = instances.to("cpu")
    left = weight.double().cpu().clone()
    order = torch.argsort(left, stable=True)
    total = torch.zeros(graph.num_nodes, dtype=torch.float64)
    _cover(*arrays(graph.in_edges.ptr, graph.edge_index[0], order, left, total))
    bound = torch.zeros(graph.num_graphs, dtype=torch.float64).index_add_(0, graph.node_graph, total)
    # Each subtraction errs by half a unit of the last place at most, and each sum.
    sums = torch.zeros_like(bound).index_add_(0, graph.node_graph, weight.double().cpu().abs())
    return (bound + 2.0**-52 * graph.node_segments.lengths * sums).to(instances.device)


@jit_as_written
def _cover(ptr, source, order, left, total):  # type: ignore[no-untyped-def]
    stamp = np.full(left.size, -1, np.int64)
    clique, near = np.empty(_MOST_NEIGHBOURS + 1, np.int64), np.empty(_MOST_NEIGHBOURS, np.int64)
    for node in order:
        if left[node] <= 0:
            continue
        count = 0
        for e in range(ptr[node], ptr[node + 1]):
            other = source[e]
            if left[other] > 0 and count < _MOST_NEIGHBOURS:  # those with most left first, of equals the first
                place = count
                while place > 0 and left[near[place - 1]] < left[other]:
                    near[place] = near[place - 1]
                    place -= 1
                near[place] = other
                count += 1
        clique[0], size = node, 1
        for k in range(count):
            other = near[k]
            joined = 1  # with `node`
            for m in range(1, size):
                stamp[clique[m]] = other
            for e in range(ptr[other], ptr[other + 1]):
                if stamp[source[e]] == other:
                    joined += 1
                    stamp[source[e]] = -1
            for m in range(1, size):
                stamp[clique[m]] = -1
            if joined == size:
                clique[size] = other
                size += 1
        amount = left[node]
        total[node] = amount
        for m in range(size):
            left[clique[m]] -= amount
        left[node] = 0


def matching_bound(instances: GraphBatch) -> Tensor:
    """[B] float64: no vertex cover has fewer nodes, by linear programming.

    The programme has the value of half a maximum matching of the bipartite double cover (Nemhauser & Trotter 1975,
    "Vertex packings: structural properties and algorithms"), which Hopcroft and Karp's algorithm finds.
    """
    graph, ptr = instances.to("cpu"), instances.node_ptr.tolist()
    ends = graph.edge_index[0].numpy().astype(np.int32), graph.in_edges.ptr.numpy()
    found = []
    for begin, end in pairwise(ptr):
        first, last = ends[1][begin], ends[1][end]
        columns, rows = ends[0][first:last] - begin, ends[1][begin : end + 1] - first
        shape = (end - begin, end - begin)
        table = csr_array((np.ones(len(columns), np.int8), columns, rows.astype(np.int32)), shape=shape)
        found.append(0.5 * float((maximum_bipartite_matching(table) >= 0).sum()))
    return torch.tensor(found, dtype=torch.float64, device=instances.device)


def cover_bound(instances: GraphBatch, weight: Tensor) -> tuple[Tensor, str]:
    """[B] float64, what no vertex cover is lighter than, in time nearly linear in the edges; and how it was found.

    By cliques; where all nodes of all graphs weigh the same, by linear programming too.
    """
    total = torch.zeros(instances.num_graphs, dtype=torch.float64, device=instances.device)
    bound = (total.index_add(0, instances.node_graph, weight.double()) - clique_cover_bound(instances, weight)).clamp_(
        min=0
    )
    if not weight.numel() or bool((weight != weight[0]).any()):
        return bound, "clique cover"
    return torch.maximum(bound, weight[0].double() * matching_bound(instances)), "clique cover and linear programme"
