"""Who is connected with whom, on the CSR rows of a batch of undirected graphs.

node_ptr: [B + 1]; edge_ptr: [N + 1], the edges that end in each node; source: [E]; owner: [N] int8; short: [B], the
side that connects; terminal: [N] bool, two of each graph, which belong to `short`. Every kernel walks graph by graph.
"""

from __future__ import annotations

import numpy as np

from graphwright.core.kernels.jit import jit_as_written

FAR = 1 << 30
"""Where no path leads."""


@jit_as_written
def _scratch(node_ptr):  # type: ignore[no-untyped-def]
    """What a search of any one of the graphs writes into."""
    largest = 0
    for graph in range(node_ptr.size - 1):
        largest = max(largest, node_ptr[graph + 1] - node_ptr[graph])
    return np.full(largest, -1, np.int64), np.empty(largest, np.int64)


@jit_as_written
def _reach(first, start, edge_ptr, source, owner, side, is_mine, terminal, seen, mark, stack):  # type: ignore[no-untyped-def]
    """How many terminals are met from `first` over nodes of `side` (is_mine), or over those of anybody else.

    seen: of the graph that begins at `start`, gets `mark` at each node that is met; stops at the second terminal.
    """
    stack[0], top, met = first, 1, 0
    seen[first - start] = mark
    while top:
        top -= 1
        v = stack[top]
        met += terminal[v]
        if met == 2:
            return met
        for e in range(edge_ptr[v], edge_ptr[v + 1]):
            u = source[e]
            if seen[u - start] != mark and (owner[u] == side) == is_mine:
                seen[u - start] = mark
                stack[top] = u
                top += 1
    return met


@jit_as_written
def _first_terminal(start, end, terminal):  # type: ignore[no-untyped-def]
    for v in range(start, end):
        if terminal[v]:
            return v
    return start


@jit_as_written
def decided(node_ptr, edge_ptr, source, owner, terminal, short, node, won):  # type: ignore[no-untyped-def]
    """Write `won` [B] bool: whether the stone at `node` [B] has decided the game for its owner."""
    seen, stack = _scratch(node_ptr)
    for graph in range(node.size):
        start, end, v = node_ptr[graph], node_ptr[graph + 1], node[graph]
        won[graph] = _decides(start, end, edge_ptr, source, owner, terminal, short[graph], v, seen, graph, stack)


@jit_as_written
def put_down(node_ptr, edge_ptr, source, owner, terminal, short, player, action, won):  # type: ignore[no-untyped-def]
    """Let `player` [B] take the `action`-th node [B] of each graph, in `owner`; write `won` [B] as `decided` does."""
    seen, stack = _scratch(node_ptr)
    for graph in range(player.size):
        start, end = node_ptr[graph], node_ptr[graph + 1]
        v = start + action[graph]
        owner[v] = player[graph]
        won[graph] = _decides(start, end, edge_ptr, source, owner, terminal, short[graph], v, seen, graph, stack)


@jit_as_written
def _decides(start, end, edge_ptr, source, owner, terminal, short, node, seen, mark, stack):  # type: ignore[no-untyped-def]
    side = owner[node]
    if side == short:
        return _reach(node, start, edge_ptr, source, owner, side, True, terminal, seen, mark, stack) == 2
    first = _first_terminal(start, end, terminal)
    return _reach(first, start, edge_ptr, source, owner, side, False, terminal, seen, mark, stack) < 2


@jit_as_written
def _spread(start, end, edge_ptr, source, owner, side, first, far, queue):  # type: ignore[no-untyped-def]
    """Write `far` [N]: the empty nodes on the best path from `first` to each node, itself counted."""
    size = end - start
    for v in range(start, end):
        far[v] = FAR
    head, tail = size, size + 1  # `queue` is written from its middle to both ends
    queue[head], far[first] = first, 0
    while head < tail:
        v = queue[head]
        head += 1
        for e in range(edge_ptr[v], edge_ptr[v + 1]):
            u = source[e]
            if owner[u] < 0:
                if far[v] + 1 < far[u]:
                    far[u] = far[v] + 1
                    queue[tail] = u
                    tail += 1
            elif owner[u] == side and far[v] < far[u]:
                far[u] = far[v]
                head -= 1
                queue[head] = u


@jit_as_written
def needed(node_ptr, edge_ptr, source, owner, terminal, short, need):  # type: ignore[no-untyped-def]
    """Write `need` [N] int64: how many stones complete the best connection through each empty node; else `FAR`.

    terminal, short: the ends that are connected, two of a graph or none, and whose they are.
    """
    far, queue = np.empty((2, owner.size), np.int64), np.empty(4 * owner.size + 4, np.int64)
    for graph in range(short.size):
        start, end, place = node_ptr[graph], node_ptr[graph + 1], 0
        for v in range(start, end):
            if terminal[v] and place < 2:
                _spread(start, end, edge_ptr, source, owner, short[graph], v, far[place], queue)
                place += 1
        for v in range(start, end):
            reached = place == 2 and owner[v] < 0 and far[0, v] < FAR and far[1, v] < FAR
            need[v] = far[0, v] + far[1, v] - 1 if reached else FAR


@jit_as_written
def random_winners(node_ptr, edge_ptr, source, owner, terminal, short, player, key, winner):  # type: ignore[no-untyped-def]
    """Write `winner` [B] int64: who wins a random game from each position, in which `player` [B] moves.

    The empty nodes are taken to the last, in an order that `key` [N], from 0 to 1, makes up: what has been decided
    stays so.
    """
    seen, stack = _scratch(node_ptr)
    filled, empty = owner.copy(), np.empty(owner.size, np.int64)
    for graph in range(player.size):
        start, end, size = node_ptr[graph], node_ptr[graph + 1], 0
        for v in range(start, end):
            if owner[v] < 0:
                empty[size] = v
                size += 1
        side = player[graph]
        while size:
            place = min(int(key[start + size - 1] * size), size - 1)
            size -= 1
            filled[empty[place]] = side
            empty[place] = empty[size]
            side = 1 - side
        first, connects = _first_terminal(start, end, terminal), short[graph]
        met = _reach(first, start, edge_ptr, source, filled, connects, True, terminal, seen, graph, stack)
        winner[graph] = connects if met == 2 else 1 - connects


@jit_as_written
def bridges(node_ptr, edge_ptr, source, owner, terminal, short, cuts):  # type: ignore[no-untyped-def]
    """Write `cuts` [N] bool: the empty nodes that separate the terminals when the cutting side takes them."""
    trial = owner.copy()
    seen, stack = _scratch(node_ptr)
    for graph in range(short.size):
        start, end = node_ptr[graph], node_ptr[graph + 1]
        first, other = _first_terminal(start, end, terminal), 1 - short[graph]
        for v in range(start, end):
            cuts[v] = False
            if owner[v] < 0:
                trial[v] = other
                met = _reach(first, start, edge_ptr, source, trial, other, False, terminal, seen, v + owner.size, stack)
                cuts[v] = met < 2
                trial[v] = -1


@jit_as_written
def farthest(node_ptr, edge_ptr, source, first, key, second):  # type: ignore[no-untyped-def]
    """Write `second` [B]: of the nodes with at least three neighbours the one that most edges lie between and `first`
    [B], of equals the one of largest `key` [N]; where all of these are next to it, of all nodes."""
    hops, queue = np.full(key.size, -1, np.int64), np.empty(key.size, np.int64)
    for graph in range(first.size):
        queue[0], hops[first[graph]] = first[graph], 0
        head, tail, best, most = 0, 1, first[graph], 0.0
        while head < tail:
            v = queue[head]
            head += 1
            linked = hops[v] >= 2 and edge_ptr[v + 1] - edge_ptr[v] >= 3
            worth = (key.size if linked else 0) + hops[v] + key[v]  # keys are below 1
            if worth > most and v != first[graph]:
                best, most = v, worth
            for e in range(edge_ptr[v], edge_ptr[v + 1]):
                u = source[e]
                if hops[u] < 0:
                    hops[u] = hops[v] + 1
                    queue[tail] = u
                    tail += 1
        if best == first[graph]:  # nothing is joined to it
            best = first[graph] - 1 if first[graph] + 1 == node_ptr[graph + 1] else first[graph] + 1
        second[graph] = best
