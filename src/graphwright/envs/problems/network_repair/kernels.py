"""Where supply reaches, and what a repair or a switching would bring: kernels over the CSR rows of a batch.

Edges never join two graphs, so that each kernel walks the whole batch as one graph. Sums are taken in float64.
"""

from __future__ import annotations

import numpy as np

from graphwright.core.kernels.jit import jit_as_written


@jit_as_written
def find_served(edge_ptr, source, supply, working, closed, served):  # type: ignore[no-untyped-def]
    """served: [N] bool, gets which nodes a path of working nodes and closed links joins to a working supply.

    edge_ptr: [N + 1], the edges that end in each node; source: [E]; supply, working: [N] bool; closed: [E] bool.
    """
    stack, top = np.empty(supply.shape[0], np.int64), 0
    for node in range(supply.shape[0]):
        served[node] = supply[node] and working[node]
        if served[node]:
            stack[top] = node
            top += 1
    while top:
        top -= 1
        node = stack[top]
        for e in range(edge_ptr[node], edge_ptr[node + 1]):
            other = source[e]
            if closed[e] and working[other] and not served[other]:
                served[other] = True
                stack[top] = other
                top += 1


@jit_as_written
def find_islands(edge_ptr, source, working, closed, served, demand, island, waiting):  # type: ignore[no-untyped-def]
    """The dark islands: working nodes that are not served, joined by closed links.

    island: [N], gets one of its nodes for each node of an island, -1 elsewhere; waiting: [N] float64, gets the demand
    of the island at that one node, 0 elsewhere.
    """
    stack = np.empty(island.shape[0], np.int64)
    island[:] = -1
    waiting[:] = 0
    for first in range(island.shape[0]):
        if served[first] or not working[first] or island[first] >= 0:
            continue
        island[first] = first
        stack[0], top = first, 1
        while top:
            top -= 1
            node = stack[top]
            waiting[first] += demand[node]
            for e in range(edge_ptr[node], edge_ptr[node + 1]):
                other = source[e]
                if closed[e] and working[other] and not served[other] and island[other] < 0:
                    island[other] = first
                    stack[top] = other
                    top += 1


@jit_as_written
def find_gains(  # type: ignore[no-untyped-def]
    edge_ptr, source, supply, working, closed, served, demand, island, waiting, node_gain, tied_gain, edge_gain
):
    """What would be served: by the repair of a node, by closing a link, and by both.

    node_gain: [N] float64, 0 at working nodes and where no supply is near; tied_gain: [N] float64, at the other broken
    nodes what they and the islands around them demand, where an open link joins any of these to a served node;
    edge_gain: [E] float64, -1 where closing the link would bring supply to no island. The other names are those above.
    """
    met = np.full(island.shape[0], -1, np.int64)
    tied = np.zeros(island.shape[0], np.bool_)
    for node in range(island.shape[0]):
        for e in range(edge_ptr[node], edge_ptr[node + 1]):
            other = source[e]
            edge_gain[e] = -1.0
            if not closed[e] and served[node] and island[other] >= 0:
                edge_gain[e] = waiting[island[other]]
                tied[island[other]] = True
            elif not closed[e] and served[other] and island[node] >= 0:
                edge_gain[e] = waiting[island[node]]
    for node in range(island.shape[0]):
        node_gain[node], tied_gain[node] = 0.0, 0.0
        if working[node]:
            continue
        near, by_tie, total = supply[node], False, float(demand[node])
        for e in range(edge_ptr[node], edge_ptr[node + 1]):
            other = source[e]
            if served[other]:
                near |= closed[e]
                by_tie = True
            elif closed[e] and island[other] >= 0 and met[island[other]] != node:
                met[island[other]] = node
                total += waiting[island[other]]
                by_tie |= tied[island[other]]
        if near:
            node_gain[node] = total
        elif by_tie:
            tied_gain[node] = total


@jit_as_written
def find_ways(edge_ptr, source, supply, closed, effort, unserved, way, behind):  # type: ignore[no-untyped-def]
    """How much must be repaired before a node is served, and how much demand lies behind it.

    effort: [N], what is left to repair, 0 at working nodes; unserved: [N], demand that is not served.
    way: [N] float64, gets the least sum of efforts over the shortest paths (in links) of closed links from a supply,
    both ends included; behind: [N] float64, gets the unserved demand of the node and of those whose shortest paths go
    through it; where there are several, each takes an equal share.
    """
    count = supply.shape[0]
    level, queue, size = np.full(count, -1, np.int64), np.empty(count, np.int64), 0
    for node in range(count):
        behind[node], way[node] = unserved[node], effort[node]
        if supply[node]:
            level[node] = 0
            queue[size] = node
            size += 1
    place = 0
    while place < size:
        node = queue[place]
        place += 1
        least = np.inf if level[node] else 0.0
        for e in range(edge_ptr[node], edge_ptr[node + 1]):
            other = source[e]
            if not closed[e]:
                continue
            if level[other] < 0:
                level[other] = level[node] + 1
                queue[size] = other
                size += 1
            elif level[other] == level[node] - 1:
                least = min(least, way[other])
        way[node] += least
    for place in range(size - 1, -1, -1):
        node = queue[place]
        before = 0
        for e in range(edge_ptr[node], edge_ptr[node + 1]):
            before += closed[e] and level[source[e]] == level[node] - 1
        for e in range(edge_ptr[node], edge_ptr[node + 1]):
            if closed[e] and level[source[e]] == level[node] - 1:
                behind[source[e]] += behind[node] / before


@jit_as_written
def find_tree(order, one, other, parent, in_tree):  # type: ignore[no-untyped-def]
    """Kruskal: in_tree: [L] bool, gets a spanning forest of the links `one`, `other` [L], taken in `order` [L]."""
    for node in range(parent.shape[0]):
        parent[node] = node
    for link in order:
        a, b = one[link], other[link]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        in_tree[link] = a != b
        parent[a] = b
