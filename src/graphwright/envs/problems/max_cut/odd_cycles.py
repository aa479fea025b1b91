"""Odd cycles: a cut crosses every cycle an even number of times, and which cycles a fractional cut does not respect."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from graphwright.core.kernels.jit import jit_as_written

_LEAST = 1e-6  # by which an inequality has to be violated

OddCycle = tuple[tuple[int, ...], tuple[int, ...]]
"""Edges F and C∖F of a cycle C with |F| odd: x(F) − x(C∖F) ≤ |F| − 1 for every cut x."""


class CycleFinder:
    """The odd cycle inequalities of one graph (Barahona & Mahjoub 1986, "On the cut polytope").

    size: number of nodes. ends: [2, L] int64, both ends of each edge of a simple graph.
    """

    def __init__(self, size: int, ends: NDArray[np.int64]) -> None:
        self.size = size
        both = np.concatenate([ends, ends[::-1]], axis=1)
        order = np.argsort(both[0], kind="stable")
        self.ptr = np.searchsorted(both[0][order], np.arange(size + 1))
        self.target = both[1][order]
        self.edge = order % max(ends.shape[1], 1)

    def violated(self, x: NDArray[np.float64]) -> set[OddCycle]:
        """For each node, the most violated inequality of a cycle near it, if any is. x: [L], between 0 and 1.

        A node of the doubled graph is a node and the parity of what has been crossed on the way to it; an edge costs
        x_e if it is not crossed and 1 − x_e if it is. A way from a node to itself in odd parity that costs less than 1
        is a violated inequality, so shortest paths find all there are.
        """
        found = set()
        for node in range(self.size):
            edges, crossed = _shortest(node, self.size, self.ptr, self.target, self.edge, np.clip(x, 0.0, 1.0))
            if edges.size:
                found.add((tuple(np.sort(edges[crossed]).tolist()), tuple(np.sort(edges[~crossed]).tolist())))
        return found


@jit_as_written
def _shortest(start, size, ptr, target, edge, x):  # type: ignore[no-untyped-def]
    """The edges of an odd cycle of cost < 1 on the shortest way from `start` to itself, and whether each is crossed."""
    distance = np.full(2 * size, 1.0 - _LEAST)  # no longer ways are of use
    previous = np.full(2 * size, -1)
    through = np.full(2 * size, -1)
    distance[start] = 0.0
    heap = [(0.0, start)]
    while heap:
        so_far, here = heapq.heappop(heap)
        if here == start + size:
            break
        if so_far > distance[here]:
            continue
        node, parity = here % size, here // size
        for place in range(ptr[node], ptr[node + 1]):
            cost = x[edge[place]]
            for cross in range(2):
                there = target[place] + (parity ^ cross) * size
                length = so_far + (1.0 - cost if cross else cost)
                if length < distance[there]:
                    distance[there] = length
                    previous[there] = here
                    through[there] = edge[place]
                    heapq.heappush(heap, (length, there))
    return _cycle(start, size, previous, through)


@jit_as_written
def _cycle(start, size, previous, through):  # type: ignore[no-untyped-def]
    """The first cycle of odd parity on the way back from `start` in odd parity: a simple one; none without a way."""
    edges = np.empty(2 * size, np.int64)
    crossed = np.empty(2 * size, np.bool_)
    if previous[start + size] < 0:
        return edges[:0], crossed[:0]
    seen = np.full(2 * size, -1)
    here, length = start + size, 0
    while seen[(here + size) % (2 * size)] < 0:
        seen[here] = length
        edges[length] = through[here]
        crossed[length] = (here < size) != (previous[here] < size)
        length += 1
        here = previous[here]
    first = seen[(here + size) % (2 * size)]
    return edges[first:length], crossed[first:length]
