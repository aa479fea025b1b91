"""The surroundings of nodes in one undirected graph that loses edges as time goes by."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core.graph import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.core.kernels.loops import with_room
from graphwright.core.segment import Segments


class FadingGraph:
    """The edges of one undirected graph as they are now, and what lies around its nodes.

    Memory: 16 bytes an edge and 32 a node. Nothing costs more than what it returns, and the edges around that.
    """

    def __init__(self, graph: GraphBatch) -> None:
        self._ptr = graph.in_edges.ptr.numpy()
        self._source = graph.edge_index[0].clone().numpy()
        self._degree = graph.in_degree.clone().numpy()
        self._place = np.full(graph.num_nodes, -1, np.int64)

    @property
    def degree(self) -> Tensor:
        """[N] int64: how many edges end in each node now."""
        return torch.from_numpy(self._degree)

    def ball(self, seeds: Tensor, radius: int) -> tuple[Tensor, Tensor]:
        """The nodes at most `radius` hops from a seed, by rising number, and their hops; [M] int64 each."""
        place = self._place
        found = _ball(self._ptr, self._source, self._degree, place, seeds.numpy(), radius)
        most = 8 * found.size > place.size  # of the graph: a walk over it is faster than sorting
        rows = np.flatnonzero(place >= 0) if most else np.sort(found)
        hops = place[rows]
        place[rows] = -1
        return torch.from_numpy(rows), torch.from_numpy(hops)

    def induced(self, rows: Tensor, padding: int = 0) -> GraphBatch:
        """The graph of the nodes `rows` [M], rising, and the edges between them, as one graph with `reverse`.

        Edges keep their order. padding: so many further nodes without edges at the end.
        """
        return self.induced_edges(rows, padding)[0]

    def induced_edges(self, rows: Tensor, padding: int = 0) -> tuple[GraphBatch, Tensor]:
        """`induced`, and which edge of the graph as it was given each of its edges is, while none has been dropped."""
        size = rows.numel() + padding
        degree = np.zeros(size, np.int64)
        edge_index = np.empty((2, _count(self._degree, rows.numpy())), np.int64)
        reverse, origin = np.empty((2, edge_index.shape[1]), np.int64)
        count = _induced(
            self._ptr, self._source, self._degree, self._place, rows.numpy(), degree, edge_index, reverse, origin
        )
        part = GraphBatch.trusted(
            torch.from_numpy(edge_index[:, :count].copy() if count < edge_index.shape[1] else edge_index),
            Segments(torch.tensor([0, size])),
            Segments(torch.tensor([0, count])),
            edges={"reverse": torch.from_numpy(reverse[:count])},
            in_degree=torch.from_numpy(degree),
        )
        return part, torch.from_numpy(origin[:count])

    def keep_edges(self, rows: Tensor, inside: Tensor, seen: GraphBatch) -> Tensor:
        """Of the nodes `rows` [M], drop at those in `inside` [I], places in `rows`, the edges that `seen` lacks.

        seen: the graph of `rows` with fewer edges. Returns the nodes that lost an edge, [L] int64.
        """
        lost = _keep(
            self._ptr, self._source, self._degree, *arrays(rows, inside, seen.in_edges.ptr, seen.edge_index[0])
        )
        return torch.from_numpy(lost)

    def best_around(self, score: Tensor, candidates: Tensor, radius: int) -> Tensor:
        """Those of `candidates` [K], rising, that no candidate is better than within `radius` hops over candidates.

        Returns [S] int64.

        score: [N] float32, below infinity and -inf at all others. Of equals the first is better.
        """
        best = np.full(score.numel(), -1, np.int64)
        best[candidates.numpy()] = candidates.numpy()
        for _ in range(radius):
            best = _best_near(self._ptr, self._source, self._degree, score.numpy(), best, candidates.numpy())
        return candidates[torch.from_numpy(best[candidates.numpy()]) == candidates]


@jit_as_written
def _ball(ptr, source, degree, place, seeds, radius):  # type: ignore[no-untyped-def]
    """The nodes, in the order in which they are met; `place` [N], which is -1 everywhere, gets their hops."""
    found = np.empty(max(16, 4 * seeds.size), np.int64)
    size = 0
    for node in seeds:
        if place[node] < 0:
            place[node] = 0
            found[size] = node
            size += 1
    begin = 0
    for hop in range(1, radius + 1):
        end = size
        for k in range(begin, end):
            node = found[k]
            for e in range(ptr[node], ptr[node] + degree[node]):
                other = source[e]
                if place[other] < 0:
                    place[other] = hop
                    found = with_room(found, size)
                    found[size] = other
                    size += 1
        begin = end
    return found[:size]


@jit_as_written
def _count(degree, rows):  # type: ignore[no-untyped-def]
    total = 0
    for node in rows:
        total += degree[node]
    return total


@jit_as_written
def _induced(ptr, source, degree, place, rows, degrees, edge_index, reverse, origin):  # type: ignore[no-untyped-def]
    for k in range(rows.size):
        place[rows[k]] = k
    count = 0
    for k in range(rows.size):
        node, first = rows[k], count
        for e in range(ptr[node], ptr[node] + degree[node]):
            other = place[source[e]]
            if other >= 0:
                edge_index[0, count] = other
                edge_index[1, count] = k
                origin[count] = e
                count += 1
        degrees[k] = count - first
    begin = np.zeros(rows.size, np.int64)  # where the edges into each row that come from later rows begin to be paired
    first = 0
    for k in range(rows.size):
        begin[k] = first
        first += degrees[k]
    for e in range(count):  # edges are sorted by destination, so the opposites of a row's come up in order
        other = edge_index[0, e]
        reverse[e] = begin[other]
        begin[other] += 1
    for k in range(rows.size):
        place[rows[k]] = -1
    return count


@jit_as_written
def _keep(ptr, source, degree, rows, inside, seen_ptr, seen_source):  # type: ignore[no-untyped-def]
    lost = np.empty(inside.size, np.int64)
    count = 0
    for k in inside:
        node, size = rows[k], seen_ptr[k + 1] - seen_ptr[k]
        if size < degree[node]:
            for e in range(size):
                source[ptr[node] + e] = rows[seen_source[seen_ptr[k] + e]]
            degree[node] = size
            lost[count] = node
            count += 1
    return lost[:count]


@jit_as_written
def _best_near(ptr, source, degree, score, best, candidates):  # type: ignore[no-untyped-def]
    """For each of `candidates` the best that is known of it and of its neighbours; -1 elsewhere."""
    following = best.copy()
    for node in candidates:
        own = best[node]
        for e in range(ptr[node], ptr[node] + degree[node]):
            other = best[source[e]]
            if other >= 0 and (own < 0 or score[other] > score[own] or (score[other] == score[own] and other < own)):
                own = other
        following[node] = own
    return following
