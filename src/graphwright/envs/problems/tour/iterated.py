"""Tours made shorter for as long as there is time: iterated local search among near neighbours."""

from __future__ import annotations

import time

import numpy as np
import torch

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import jit_as_written
from graphwright.envs.problems.tour.local_search import _follow, distance_between
from graphwright.envs.problems.tour.plane import join_nearest
from graphwright.envs.problems.tour.sequence import in_order

# Numba compiles the legacy generator alone, whose state inside compiled code is its own.
# ruff: noqa: NPY002

_NEAREST = 8
"""Neighbours that a node looks at."""
_ROUNDS = 1_000
"""Perturbations between two looks at the clock."""
_SPAN = 50
"""Nodes of a piece that a perturbation moves, at most."""
_LEAST = 1e-9
"""Of the length of a tour: smaller gains are rounding errors."""


def shorten(state: GraphBatch, seconds: float, seed: int = 0) -> GraphBatch:
    """The complete tours of `state`, none longer than it was, after `seconds` for each graph.

    2-opt and Or-opt between each node and its nearest, from a queue of nodes whose surroundings have changed (Bentley
    1992, "Fast algorithms for geometric traveling salesman problems"); from a local optimum on, two neighbouring pieces
    of the tour change places (a double bridge of short pieces), and what comes of it is taken back where the tour is
    longer (Martin, Otto, Felten 1991, "Large-step Markov chains for the traveling salesman problem"). With `seconds` 0
    it stops at the first local optimum.
    """
    near = join_nearest(state, _NEAREST).to("cpu")
    ptr, position = state.node_ptr.cpu().numpy(), state.nodes["position"].cpu().numpy()
    order = _follow(state.nodes["successor"].cpu().numpy(), ptr)
    place = np.empty_like(order)
    columns = near.in_edges.ptr.numpy(), near.edge_index[0].contiguous().numpy(), position
    for graph, rounding in enumerate(state.graphs["rounding"].tolist()):
        begin, end = int(ptr[graph]), int(ptr[graph + 1])
        if end - begin < 8:
            continue
        tour = order[begin:end]
        place[tour] = np.arange(end - begin)
        until, rounds = time.perf_counter() + seconds, 0
        _search(tour, place, *columns, rounding, 0, seed)
        while time.perf_counter() < until:
            _search(tour, place, *columns, rounding, _ROUNDS, seed + rounds)
            rounds += 1
    return in_order(state, torch.from_numpy(order).to(state.device))


@jit_as_written
def _step(tour, place, node, forward):  # type: ignore[no-untyped-def]
    """The node after `node`, or the one before it."""
    at = place[node] + (1 if forward else -1)
    return tour[0 if at == tour.size else at]


@jit_as_written
def _flip(tour, place, a, b, c, d):  # type: ignore[no-untyped-def]
    """Exchange the edges (a, b) and (c, d) for (a, c) and (b, d); b follows a as d follows c, in either direction."""
    size = tour.size
    first, last = (place[b], place[c]) if _step(tour, place, a, True) == b else (place[a], place[d])
    inside = (last - first) % size + 1
    if 2 * inside > size:
        first, last, inside = (last + 1) % size, (first - 1) % size, size - inside
    for _ in range(inside // 2):
        one, other = tour[first], tour[last]
        tour[first], tour[last] = other, one
        place[other], place[one] = first, last
        first = 0 if first + 1 == size else first + 1
        last = size - 1 if last == 0 else last - 1


@jit_as_written
def _log(tour, place, moves, count, a, b, c, d):  # type: ignore[no-untyped-def]
    """`_flip`, and write it down."""
    _flip(tour, place, a, b, c, d)
    if count == len(moves):
        larger = np.empty((2 * count, 4), np.int64)
        for k in range(count):
            for end in range(4):
                larger[k, end] = moves[k, end]
        moves = larger
    moves[count, 0], moves[count, 1], moves[count, 2], moves[count, 3] = a, b, c, d
    return moves, count + 1


@jit_as_written
def _move(tour, place, moves, count, p, first, last, n, c, d, turned):  # type: ignore[no-untyped-def]
    """p first..last n ... c d becomes p n ... c first..last d, or with the piece `turned`."""
    moves, count = _log(tour, place, moves, count, p, first, c, d)
    if n != c:
        moves, count = _log(tour, place, moves, count, p, c, n, last)
    if not turned:
        moves, count = _log(tour, place, moves, count, c, last, first, d)
    return moves, count


@jit_as_written
def _improve(a, tour, place, ptr, source, position, rounding, least, moves, count, touched):  # type: ignore[no-untyped-def]
    """Play the first exchange at node a that gains: the gain, or 0; its nodes are `touched`."""
    for way in range(2):
        forward = way == 0
        b = _step(tour, place, a, forward)
        kept = distance_between(position, rounding, a, b)
        for e in range(ptr[a], ptr[a + 1]):
            c = source[e]
            gain = kept - distance_between(position, rounding, a, c)
            if gain <= least or c == b:
                continue
            d = _step(tour, place, c, forward)
            gain += distance_between(position, rounding, c, d) - distance_between(position, rounding, b, d)
            if gain > least and d != a:
                moves, count = _log(tour, place, moves, count, a, b, c, d)
                touched[0], touched[1], touched[2], touched[3] = a, b, c, d
                touched[4], touched[5] = a, b
                return gain, moves, count
        p = _step(tour, place, a, not forward)
        last = a
        for length in range(1, 4):  # the piece a .. last, away from p
            if length > 1:
                last = _step(tour, place, last, forward)
            n = _step(tour, place, last, forward)
            if n == p or last == p:
                break
            saved = distance_between(position, rounding, p, a) + distance_between(position, rounding, last, n)
            saved -= distance_between(position, rounding, p, n)
            if saved <= least:
                continue
            for e in range(ptr[a], ptr[a + 1]):
                near = source[e]
                ahead = (place[near] - place[a]) % tour.size if forward else (place[a] - place[near]) % tour.size
                base = saved - distance_between(position, rounding, a, near)
                if ahead < length or base <= least:
                    continue
                for side in range(2):
                    turned = side == 1
                    c = _step(tour, place, near, not forward) if turned else near
                    d = near if turned else _step(tour, place, near, forward)
                    if c in (p, last) or d == a:  # where the piece stands already
                        continue
                    far = c if turned else d
                    gain = base + distance_between(position, rounding, c, d)
                    gain -= distance_between(position, rounding, last, far)
                    if gain > least:
                        moves, count = _move(tour, place, moves, count, p, a, last, n, c, d, turned)
                        touched[0], touched[1], touched[2], touched[3], touched[4], touched[5] = p, a, last, n, c, d
                        return gain, moves, count
    return 0.0, moves, count


@jit_as_written
def _search(tour, place, ptr, source, position, rounding, rounds, seed):  # type: ignore[no-untyped-def]
    """To a local optimum, where `rounds` is 0; otherwise so many perturbations from one."""
    np.random.seed(seed)
    size, moves, touched = tour.size, np.empty((64, 4), np.int64), np.empty(6, np.int64)
    length = 0.0
    for k in range(size):
        length += distance_between(position, rounding, tour[k - 1], tour[k])
    least = _LEAST * length / size
    queue, waits = np.empty(size, np.int64), np.zeros(place.size, np.bool_)
    if not rounds:
        waiting = _wait(tour, queue, waits, 0, 0)
        _settle(tour, place, ptr, source, position, rounding, least, moves, 0, touched, queue, waits, waiting)
    for _ in range(rounds):
        gain, moves, count = _perturb(tour, place, position, rounding, moves, touched)
        waiting = _wait(touched, queue, waits, 0, 0)
        more, moves, count = _settle(
            tour, place, ptr, source, position, rounding, least, moves, count, touched, queue, waits, waiting
        )
        if gain + more < -least:
            for k in range(count - 1, -1, -1):
                _flip(tour, place, moves[k, 0], moves[k, 2], moves[k, 1], moves[k, 3])


@jit_as_written
def _perturb(tour, place, position, rounding, moves, touched):  # type: ignore[no-untyped-def]
    """Let two neighbouring pieces change places: what that gains, the moves, and how many; its nodes are `touched`."""
    size = tour.size
    span = min(_SPAN, size // 4)
    at, one, two = np.random.randint(size), 1 + np.random.randint(span), 1 + np.random.randint(span)
    p, first, last = tour[at], tour[(at + 1) % size], tour[(at + one) % size]
    n, c, d = tour[(at + one + 1) % size], tour[(at + one + two) % size], tour[(at + one + two + 1) % size]
    gain = 0.0
    for x, y, sign in ((p, first, 1), (last, n, 1), (c, d, 1), (p, n, -1), (c, first, -1), (last, d, -1)):
        gain += sign * distance_between(position, rounding, x, y)
    moves, count = _move(tour, place, moves, 0, p, first, last, n, c, d, False)
    touched[0], touched[1], touched[2], touched[3], touched[4], touched[5] = p, first, last, n, c, d
    return gain, moves, count


@jit_as_written
def _wait(nodes, queue, waits, head, waiting):  # type: ignore[no-untyped-def]
    """Put those of `nodes` that do not wait yet at the end of the queue, which begins at `head`; how many wait then."""
    for node in nodes:
        if not waits[node]:
            queue[(head + waiting) % queue.size] = node
            waits[node] = True
            waiting += 1
    return waiting


@jit_as_written
def _settle(  # type: ignore[no-untyped-def]
    tour, place, ptr, source, position, rounding, least, moves, count, touched, queue, waits, waiting
):
    """Exchange edges until no node that waits gains anything: what that gains in all, the moves, and how many."""
    head, gain = 0, 0.0
    while waiting:
        node = queue[head]
        head, waiting = (head + 1) % queue.size, waiting - 1
        while True:
            more, moves, count = _improve(
                node, tour, place, ptr, source, position, rounding, least, moves, count, touched
            )
            if more == 0.0:
                break
            gain += more
            waiting = _wait(touched, queue, waits, head, waiting)
        waits[node] = False
    return gain, moves, count
