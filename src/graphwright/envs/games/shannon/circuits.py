"""Current between the two ends of a side, on the CSR rows of a batch; see `kernels.py` for what these are.

The circuit: nodes are joined by resistors of 1, of which half belongs to each end, and none to nodes of the side, which
are wires; nodes of the other side are taken out. This is the machine of Shannon and Moore (Gardner 1961, "The Second
Scientific American Book of Mathematical Puzzles and Diversions"), and that of each side is how programs that play Hex
have valued positions since (Anshelevich 2002, "A hierarchical approach to computer Hex").
"""

from __future__ import annotations

import numpy as np

from graphwright.core.kernels.jit import jit_as_written

_TOLERANCE = 1e-14  # of the squared residual of the potentials, over that of the first guess
_SPREAD = 1e-6  # potentials that differ by less are one


@jit_as_written
def currents(node_ptr, edge_ptr, source, owner, ends, side, share, low, high, conductance):  # type: ignore[no-untyped-def]
    """Potentials of 1 and 0 at the two `ends` [N] bool of each graph, which belong to `side` [B].

    Writes of empty nodes `share` [N], the part of the current that flows through them, and `low` and `high` [N], the
    least and the largest potential where their resistors end; 0 for all others. conductance: [B], the current; 0 where
    none can flow, and 0 with all else for graphs without ends or with joined ones.
    """
    largest, most_edges = 0, 0
    for graph in range(side.size):
        start, end = node_ptr[graph], node_ptr[graph + 1]
        largest, most_edges = max(largest, end - start), max(most_edges, edge_ptr[end] - edge_ptr[start])
    wire, stack = np.empty((2, largest), np.int64)
    left, right = np.empty((2, most_edges), np.int64)
    space, siemens = np.empty((5, largest)), np.empty(most_edges)
    for graph in range(side.size):
        start, end = node_ptr[graph], node_ptr[graph + 1]
        share[start:end], low[start:end], high[start:end] = 0.0, 0.0, 0.0
        conductance[graph] = 0.0
        first, last = -1, -1
        for v in range(start, end):
            if ends[v]:
                first, last = (v, last) if first < 0 else (first, v)
        if last < 0:
            continue
        _wires(start, end, edge_ptr, source, owner, side[graph], first, wire, stack)
        one, zero = wire[first - start], wire[last - start]
        if zero < 0 or one == zero:
            continue
        count = _resistors(start, end, edge_ptr, source, owner, side[graph], wire, left, right, siemens)
        _potentials(end - start, one, zero, count, left, right, siemens, space)
        potential, total = space[0], 0.0
        for v in range(start, end):
            if wire[v - start] < 0:
                continue
            here = potential[wire[v - start]]
            least, most, flow = 2.0, -1.0, 0.0
            for e in range(edge_ptr[v], edge_ptr[v + 1]):
                u = source[e]
                if wire[u - start] < 0 or wire[u - start] == wire[v - start]:
                    continue
                there, joined = potential[wire[u - start]], owner[u] == side[graph]
                drop = (2.0 if joined or owner[v] >= 0 else 1.0) * (there - here)
                flow += abs(drop) / 2
                border = there if joined else (there + here) / 2
                least, most = min(least, border), max(most, border)
                if wire[v - start] == one:
                    total -= drop
            if owner[v] < 0:
                share[v], low[v], high[v] = flow, least, most
        conductance[graph] = total
        for v in range(start, end):
            share[v] /= max(total, 1e-12)


@jit_as_written
def _wires(start, end, edge_ptr, source, owner, side, first, wire, stack):  # type: ignore[no-untyped-def]
    """Write `wire`: of the nodes that `first` is joined with over nodes that are nobody's or of `side`, themselves, and
    of these of `side` the first of those that are joined, all numbered from the beginning of the graph; else -1."""
    for v in range(end - start):
        wire[v] = -1
    wire[first - start], stack[0], top = first - start, first, 1
    while top:
        top -= 1
        v = stack[top]
        for e in range(edge_ptr[v], edge_ptr[v + 1]):
            u = source[e]
            if wire[u - start] < 0 and (owner[u] < 0 or owner[u] == side):
                wire[u - start], stack[top] = u - start, u
                top += 1
    for root in range(start, end):
        if wire[root - start] != root - start or owner[root] != side:
            continue
        stack[0], top = root, 1
        while top:
            top -= 1
            v = stack[top]
            for e in range(edge_ptr[v], edge_ptr[v + 1]):
                u = source[e]
                if owner[u] == side and wire[u - start] != root - start:
                    wire[u - start], stack[top] = root - start, u
                    top += 1


@jit_as_written
def _resistors(start, end, edge_ptr, source, owner, side, wire, left, right, conductance):  # type: ignore[no-untyped-def]
    """Write the two wires and the conductance of each resistor, once; how many there are."""
    count = 0
    for v in range(start, end):
        here = wire[v - start]
        if here < 0:
            continue
        for e in range(edge_ptr[v], edge_ptr[v + 1]):
            u = source[e]
            there = wire[u - start]
            if u < v and there >= 0 and there != here:
                left[count], right[count] = here, there
                conductance[count] = 2.0 if owner[u] == side or owner[v] == side else 1.0
                count += 1
    return count


@jit_as_written
def _potentials(size, one, zero, count, left, right, conductance, space):  # type: ignore[no-untyped-def]
    """Write the potentials of wires into `space[0]`, by conjugate gradients with the diagonal as preconditioner.

    Only unknown potentials have a weight above 0 (one over the diagonal), so that all others stay as they are.
    """
    potential, residual, direction, inflow, weight = space[0], space[1], space[2], space[3], space[4]
    for v in range(size):
        potential[v], residual[v], direction[v], weight[v] = 0.5, 0.0, 0.0, 0.0
    potential[one], potential[zero] = 1.0, 0.0
    for r in range(count):
        flow = conductance[r] * (potential[right[r]] - potential[left[r]])
        residual[left[r]] += flow
        residual[right[r]] -= flow
        weight[left[r]] += conductance[r]
        weight[right[r]] += conductance[r]
    for v in range(size):
        weight[v] = 0.0 if weight[v] == 0.0 or v in (one, zero) else 1.0 / weight[v]
    old, begun = 0.0, -1.0
    for _ in range(2 * size + 10):
        new = 0.0
        for v in range(size):
            new += residual[v] * residual[v] * weight[v]
        begun = new if begun < 0.0 else begun
        if new <= _TOLERANCE * begun or new < 1e-24:
            return
        keep = new / old if old > 0.0 else 0.0
        for v in range(size):
            direction[v] = residual[v] * weight[v] + direction[v] * keep
            inflow[v] = 0.0
        for r in range(count):
            flow = conductance[r] * (direction[right[r]] - direction[left[r]])
            inflow[left[r]] += flow
            inflow[right[r]] -= flow
        bend = 0.0
        for v in range(size):
            bend -= direction[v] * inflow[v]
        step = new / bend
        for v in range(size):
            potential[v] += step * direction[v]
            residual[v] += step * inflow[v]
        old = new


@jit_as_written
def level_cuts(node_ptr, low, high, count):  # type: ignore[no-untyped-def]
    """Write `count` [N] int64: of the cuts that a potential makes, through all nodes in which it is met, the size of
    the smallest through each node; 0 where there is none. low, high: [N], as `currents` writes them.

    Every one of them separates the ends, and a node that does so alone has a cut of 1.
    """
    for graph in range(node_ptr.size - 1):
        start, end = node_ptr[graph], node_ptr[graph + 1]
        met = np.empty(2 * (end - start))
        size = 0
        for v in range(start, end):
            count[v] = 0
            if high[v] - low[v] > _SPREAD:
                met[size], met[size + 1] = low[v], high[v]
                size += 2
        levels = np.sort(met[:size])
        for place in range(size - 1):
            if levels[place + 1] - levels[place] <= _SPREAD:
                continue
            level, cut = (levels[place] + levels[place + 1]) / 2, 0
            for v in range(start, end):
                cut += low[v] < level < high[v]
            for v in range(start, end):
                if low[v] < level < high[v] and (count[v] == 0 or cut < count[v]):
                    count[v] = cut
