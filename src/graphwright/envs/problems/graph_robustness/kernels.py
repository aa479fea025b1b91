"""When graphs fall apart: union-find kernels over the CSR rows of a batch.

Nodes are not removed but brought back, the last removed first, so that each of the n moments costs no more than the
edges of one node. All arrays are those of the whole batch, and every kernel walks graph by graph.
"""

from __future__ import annotations

import numpy as np

from graphwright.core.kernels.jit import jit_as_written


@jit_as_written
def find_breaks(node_ptr, edge_ptr, source, turn, targeted, breaks, removed, cut_off):  # type: ignore[no-untyped-def]
    """What is left of each graph when it first falls apart, in each of its removal orders.

    node_ptr: [B + 1]; edge_ptr: [N + 1], the edges that end in each node; source: [E]; turn: [N, S], the place of each
    node in each order, before `targeted` puts nodes of larger degree first.
    breaks: [B, S], gets how many nodes are gone when the rest falls apart; n - 1 where it never does.
    removed: [N], gets the share of orders in which a node is gone by then. cut_off: [N], gets the mean over orders of
    the share of the others that are left to which no path leads any more, 0 where the node is gone.
    """
    orders = turn.shape[1]
    nothing = np.empty((0, 2), np.int64)
    for graph in range(node_ptr.shape[0] - 1):
        start, size = node_ptr[graph], node_ptr[graph + 1] - node_ptr[graph]
        order, parent, weight = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
        for s in range(orders):
            _removal_order(start, edge_ptr, turn, s, targeted, nothing, order, parent)
            gone = _first_break(start, edge_ptr, source, nothing, order, parent)
            breaks[graph, s] = gone
            for place in range(gone):
                removed[start + order[place]] += 1 / orders
            _join_from(gone, start, edge_ptr, source, order, parent)
            weight[:] = 0
            for place in range(gone, size):
                weight[_root(parent, order[place])] += 1
            for place in range(gone, size):
                near = weight[_root(parent, order[place])]
                cut_off[start + order[place]] += (size - gone - near) / max(size - gone - 1, 1) / orders


@jit_as_written
def robustness_with(start, size, edge_ptr, source, turn, targeted, sets, total):  # type: ignore[no-untyped-def]
    """The sum over orders of `breaks` (see `find_breaks`) for one graph with each of some sets of further edges.

    start, size: its first node in the batch and how many it has; sets: [M, k, 2], end points counted from 0, none of
    them joined; total: [M] int64, gets the sums.
    """
    order, parent = np.empty(size, np.int64), np.empty(size, np.int64)
    for m in range(sets.shape[0]):
        total[m] = 0
        for s in range(turn.shape[1]):
            _removal_order(start, edge_ptr, turn, s, targeted, sets[m], order, parent)
            total[m] += _first_break(start, edge_ptr, source, sets[m], order, parent)


@jit_as_written
def find_pieces(edge_ptr, source, piece):  # type: ignore[no-untyped-def]
    """piece: [N], gets a node that stands for the component of each node."""
    for node in range(piece.shape[0]):
        piece[node] = node
    for node in range(piece.shape[0]):
        for e in range(edge_ptr[node], edge_ptr[node + 1]):
            _join(piece, node, source[e])
    for node in range(piece.shape[0]):
        piece[node] = _root(piece, node)


@jit_as_written
def _removal_order(start, edge_ptr, turn, s, targeted, more, order, count):  # type: ignore[no-untyped-def]
    """Fills `order` with the nodes in the order of their removal: a counting sort, without comparisons.

    more: [k, 2], further edges; count: scratch of one place a node.
    """
    size = order.shape[0]
    if not targeted:
        for node in range(size):
            order[turn[start + node, s]] = node
        return
    degree, by_turn = np.empty(size, np.int64), np.empty(size, np.int64)
    for node in range(size):
        degree[node] = edge_ptr[start + node + 1] - edge_ptr[start + node]
        by_turn[turn[start + node, s]] = node
    for k in range(more.shape[0]):
        degree[more[k, 0]] += 1
        degree[more[k, 1]] += 1
    count[:] = 0
    for node in range(size):
        count[degree[node]] += 1
    place = 0
    for value in range(size - 1, -1, -1):
        here = count[value]
        count[value] = place
        place += here
    for node in by_turn:
        order[count[degree[node]]] = node
        count[degree[node]] += 1


@jit_as_written
def _first_break(start, edge_ptr, source, more, order, parent):  # type: ignore[no-untyped-def]
    """How many nodes are gone when the rest first has more than one component; n - 1 where it never has."""
    size = order.shape[0]
    first, components = max(size - 1, 0), 0
    parent[:] = -1
    for place in range(size - 1, -1, -1):
        node = order[place]
        parent[node] = node
        components += 1
        for e in range(edge_ptr[start + node], edge_ptr[start + node + 1]):
            components -= _join(parent, node, source[e] - start)
        for k in range(more.shape[0]):
            if more[k, 0] == node:
                components -= _join(parent, node, more[k, 1])
            elif more[k, 1] == node:
                components -= _join(parent, node, more[k, 0])
        if components > 1:
            first = place
    return first


@jit_as_written
def _join_from(gone, start, edge_ptr, source, order, parent):  # type: ignore[no-untyped-def]
    """Fills `parent` for the nodes that are left when the first `gone` of `order` are not there."""
    parent[:] = -1
    for place in range(gone, order.shape[0]):
        node = order[place]
        parent[node] = node
        for e in range(edge_ptr[start + node], edge_ptr[start + node + 1]):
            _join(parent, node, source[e] - start)


@jit_as_written
def _join(parent, one, other):  # type: ignore[no-untyped-def]
    """1 where two components became one, else 0; a node that is not there yet (-1) is joined to nothing."""
    if parent[other] < 0:
        return 0
    a, b = _root(parent, one), _root(parent, other)
    if a == b:
        return 0
    parent[b] = a
    return 1


@jit_as_written
def _root(parent, node):  # type: ignore[no-untyped-def]
    """The node that stands for the component of `node`; halves the path to it."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
