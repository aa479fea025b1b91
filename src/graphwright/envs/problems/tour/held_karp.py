"""The lower bound of Held and Karp, and which edges no shorter tour can have."""

from __future__ import annotations

import time

import numpy as np

from graphwright.core.kernels.jit import jit_as_written

_STEPS = 100
_SMALLEST_STEP = 1e-2
_SLOW = 1e-4
_ROUNDING = 1e-9
_ROOT = 0


def useful_edges(distance: np.ndarray, upper: float, seconds: float) -> tuple[float, np.ndarray]:
    """A lower bound of the length of every tour, and the edges [n, n] bool that a tour shorter than `upper` may have.

    distance: [n, n] float64, symmetric, n ≥ 3; upper: the length of a known tour; seconds: when to leave it at that.

    Each node v gets a price π(v), which every tour pays twice. The cheapest 1-tree (a spanning tree of all nodes but
    one, and the two cheapest edges of that one) under d(u, v) + π(u) + π(v), less twice the sum of all prices, is then
    a lower bound; subgradient steps look for prices that make it large (Held & Karp 1971, "The traveling-salesman
    problem and minimum spanning trees: part II"). An edge that would make the cheapest 1-tree dearer than `upper` is in
    no shorter tour.
    """
    end = time.perf_counter() + seconds
    price, bound, step = np.zeros(len(distance)), -np.inf, 1.0
    while step > _SMALLEST_STEP and bound < upper and time.perf_counter() < end:
        better_price, better = _climb(distance, upper, price, step)
        if better - bound < _SLOW * abs(better):
            step /= 2
        if better > bound:
            price, bound = better_price, better
    return bound, _affordable(distance + price[:, None] + price, upper * (1 + _ROUNDING) + 2 * price.sum())


@jit_as_written
def _climb(distance: np.ndarray, upper: float, price: np.ndarray, step: float) -> tuple[np.ndarray, float]:
    """The best prices [n] and bound on the way of some subgradient steps (Polyak's rule) from `price` [n]."""
    best_price, best = price, -np.inf
    for _ in range(_STEPS):
        total, degree, _ = _one_tree(distance + price.reshape(-1, 1) + price)
        bound = total - 2 * price.sum()
        if bound > best:
            best_price, best = price, bound
        away = degree - 2.0
        square = (away * away).sum()
        if square == 0:  # the 1-tree is a tour
            break
        price = price + step * max(upper - bound, 0.0) / square * away
    return best_price, best


@jit_as_written
def _one_tree(cost: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """The cheapest 1-tree: its cost, its degrees [n], and the parent [n] of each node but the root in Prim's order.

    parent[1] is -1: the tree grows from node 1.
    """
    size = cost.shape[0]
    degree, parent = np.zeros(size), np.full(size, 1)
    parent[_ROOT] = parent[1] = -1
    near, outside = cost[1].copy(), np.ones(size, dtype=np.bool_)
    outside[_ROOT] = outside[1] = False
    total = 0.0
    for _ in range(size - 2):
        node, least = -1, np.inf
        for other in range(size):
            if outside[other] and near[other] < least:
                node, least = other, near[other]
        outside[node] = False
        total += least
        degree[node] += 1
        degree[parent[node]] += 1
        for other in range(size):
            if outside[other] and cost[node, other] < near[other]:
                near[other], parent[other] = cost[node, other], node
    first, second = _two_cheapest(cost[_ROOT])
    degree[_ROOT] = 2
    degree[first] += 1
    degree[second] += 1
    return total + cost[_ROOT, first] + cost[_ROOT, second], degree, parent


@jit_as_written
def _two_cheapest(cost: np.ndarray) -> tuple[int, int]:
    first, second = -1, -1
    for node in range(cost.size):
        if node == _ROOT:
            continue
        if first < 0 or cost[node] < cost[first]:
            first, second = node, first
        elif second < 0 or cost[node] < cost[second]:
            second = node
    return first, second


@jit_as_written
def _affordable(cost: np.ndarray, limit: float) -> np.ndarray:
    """[n, n] bool: whether the cheapest 1-tree with the edge costs less than `limit`."""
    size = cost.shape[0]
    total, _, parent = _one_tree(cost)
    allowed = np.zeros((size, size), dtype=np.bool_)
    _, second = _two_cheapest(cost[_ROOT])
    for node in range(1, size):
        allowed[_ROOT, node] = total + max(cost[_ROOT, node] - cost[_ROOT, second], 0.0) < limit
        allowed[node, _ROOT] = allowed[_ROOT, node]
    for node in range(1, size):
        dearest = _dearest_on_path(cost, parent, node)
        for other in range(1, size):
            if other != node:
                allowed[node, other] = total + max(cost[node, other] - dearest[other], 0.0) < limit
    return allowed


@jit_as_written
def _dearest_on_path(cost: np.ndarray, parent: np.ndarray, start: int) -> np.ndarray:
    """[n]: the dearest edge of the tree between `start` and each node."""
    size = cost.shape[0]
    dearest = np.full(size, -np.inf)
    known = np.zeros(size, dtype=np.bool_)
    known[start] = True
    child = start
    while parent[child] >= 0:  # the way up to the node that the tree grew from
        up = parent[child]
        dearest[up], known[up] = max(dearest[child], cost[child, up]), True
        child = up
    for node in range(1, size):
        _resolve(cost, parent, dearest, known, node)
    return dearest


@jit_as_written
def _resolve(cost: np.ndarray, parent: np.ndarray, dearest: np.ndarray, known: np.ndarray, node: int) -> None:
    """Fill in `dearest` of `node` and of the nodes between it and the first known one above."""
    chain = [node]
    while not known[chain[-1]]:
        chain.append(parent[chain[-1]])
    for place in range(len(chain) - 2, -1, -1):
        lower, upper = chain[place], chain[place + 1]
        dearest[lower], known[lower] = max(dearest[upper], cost[lower, upper]), True
