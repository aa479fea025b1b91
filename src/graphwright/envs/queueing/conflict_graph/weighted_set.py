"""The independent set of largest weight, exactly: a walk over the nodes that keeps the best of each frontier."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError
from graphwright.core.kernels.jit import arrays, jit_as_written

WIDEST = 18
"""Nodes of a frontier, of which all subsets are kept: lines and rings have 1 and 2, grids their shorter side."""


def heaviest_set(graph: GraphBatch, weight: Tensor) -> Tensor:
    """[N] bool: an independent set of largest sum of `weight` [N] float64 in each graph, of none that weighs nothing.

    Nodes are taken one by one, the next always the one that leaves the fewest taken nodes with neighbours to come; of
    each set of these the best that is behind it is kept (Bodlaender 1988, dynamic programming over a path
    decomposition). Raises GraphError where a frontier has more than `WIDEST` nodes.
    """
    chosen = torch.zeros(graph.num_nodes, dtype=torch.bool)
    wide = _all_sets(*arrays(graph.node_ptr, graph.in_edges.ptr, graph.edge_index[0], weight, chosen), WIDEST)
    if wide >= 0:
        raise GraphError(
            f"the exact set of graph {wide} takes more than 2^{WIDEST} cases; let `local-greedy` or a policy decide"
        )
    return chosen


@jit_as_written
def _all_sets(node_ptr, edge_ptr, source, weight, chosen, widest):  # type: ignore[no-untyped-def]
    """chosen: [N] bool, gets the sets; the first graph that is too wide, else -1."""
    for graph in range(node_ptr.shape[0] - 1):
        if not _one_set(node_ptr[graph], node_ptr[graph + 1], edge_ptr, source, weight, chosen, widest):
            return graph
    return -1


@jit_as_written
def _one_set(first, last, edge_ptr, source, weight, chosen, widest):  # type: ignore[no-untyped-def]
    """The set of nodes first .. last - 1; whether the frontier is never wider than `widest`."""
    size = last - first
    ptr = edge_ptr[first : last + 1]
    place = np.full(size, -1, np.int64)  # in the frontier
    taken, left = np.zeros(size, np.bool_), np.zeros(size, np.int64)  # neighbours to come
    for v in range(size):
        taken[v] = weight[first + v] <= 0
    for v in range(size):
        for e in range(ptr[v], ptr[v + 1]):
            left[v] += not taken[source[e] - first]
    order, count, highest = np.empty(size, np.int64), 0, 0
    bits, gone = np.zeros((2, size), np.int64)  # neighbours of each node in the frontier, and those that leave it then
    free = np.ones(63, np.bool_)
    v = _next_node(first, ptr, source, taken, left, place)
    while v >= 0:
        taken[v] = True
        order[count] = v
        bits[count], gone[count] = _meet_frontier(v, first, ptr, source, left, place, free)
        if left[v] > 0:
            place[v] = _first_free(free)
            free[place[v]] = False
            highest = max(highest, place[v] + 1)
            if highest > widest:
                return False
        count += 1
        v = _next_node(first, ptr, source, taken, left, place)
    return _walk(order[:count], first, weight, bits, gone, edge_ptr, source, chosen, highest)


@jit_as_written
def _next_node(first, ptr, source, taken, left, place):  # type: ignore[no-untyped-def]
    """The node to come that widens the frontier least, of those the one with most neighbours there; -1 for none."""
    best, least, closest = -1, taken.size + 2, -1
    for v in range(taken.size):
        if taken[v]:
            continue
        more, near = int(left[v] > 0), 0
        for e in range(ptr[v], ptr[v + 1]):
            other = source[e] - first
            if place[other] >= 0:
                near += 1
                more -= left[other] == 1
        if more < least or (more == least and near > closest):
            best, least, closest = v, more, near
    return best


@jit_as_written
def _meet_frontier(v, first, ptr, source, left, place, free):  # type: ignore[no-untyped-def]
    """The places of the neighbours of node v in the frontier, as bits; and of those that leave it now."""
    met, gone = np.int64(0), np.int64(0)
    for e in range(ptr[v], ptr[v + 1]):
        other = source[e] - first
        left[other] -= 1
        if place[other] >= 0:
            met |= np.int64(1) << place[other]
            if left[other] == 0:
                gone |= np.int64(1) << place[other]
                free[place[other]] = True
                place[other] = -1
    return met, gone


@jit_as_written
def _first_free(free):  # type: ignore[no-untyped-def]
    place = 0
    while not free[place]:
        place += 1
    return place


@jit_as_written
def _walk(order, first, weight, bits, gone, edge_ptr, source, chosen, highest):  # type: ignore[no-untyped-def]
    """Fill `chosen` by the best of each set of the frontier, forwards, then by what led there, backwards."""
    cases, count = 1 << highest, order.shape[0]
    value = np.full(cases, -np.inf)
    value[0] = 0.0
    came, took = np.zeros((count, cases), np.int32), np.zeros((count, cases), np.bool_)
    place = np.full(chosen.shape[0], -1, np.int64)
    occupied = np.int64(0)
    for t in range(count):
        v = order[t]
        occupied &= ~gone[t]
        new = np.full(cases, -np.inf)
        later = False
        for e in range(edge_ptr[first + v], edge_ptr[first + v + 1]):
            other = source[e]
            if weight[other] > 0 and place[other] < 0:
                later = True
        place[first + v] = 0
        own = np.int64(0)
        if later:
            shift = 0
            while occupied >> shift & 1:
                shift += 1
            own = np.int64(1) << shift
            occupied |= own
        for case in range(cases):
            if value[case] == -np.inf:
                continue
            after = case & ~gone[t]
            if value[case] > new[after]:
                new[after], came[t, after], took[t, after] = value[case], case, False
            if case & bits[t] == 0:
                total, to = value[case] + weight[first + v], after | own
                if total > new[to]:
                    new[to], came[t, to], took[t, to] = total, case, True
        value = new
    case = int(np.argmax(value))
    for t in range(count - 1, -1, -1):
        chosen[first + order[t]] = took[t, case]
        case = came[t, case]
    return True
