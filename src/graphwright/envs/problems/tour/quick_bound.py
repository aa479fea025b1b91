"""The bound of Held and Karp on tours of thousands of points, with prices that near neighbours lead to."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import jit_as_written
from graphwright.envs.problems.tour.local_search import distance_between
from graphwright.envs.problems.tour.plane import join_nearest

_NEAREST = 8
_STEPS = 150
_FEW = 4


def held_karp_bound(instances: GraphBatch) -> Tensor:
    """[B] float64: no tour of the graph is shorter.

    With a price π(v) for each node, the cheapest 1-tree under d(u, v) + π(u) + π(v), less twice all prices, is a lower
    bound (`held_karp.py`). Prices come from spanning trees of near neighbours alone, which any prices may; the last
    1-tree is one of all pairs. Time: that of n² distances, a second at 10,000 nodes.
    """
    near = join_nearest(instances, _NEAREST).to("cpu")
    position, rounding = near.nodes["position"].numpy(), near.graphs["rounding"].tolist()
    bounds = []
    for graph, (begin, end) in enumerate(pairwise(near.node_ptr.tolist())):
        points = np.ascontiguousarray(position[begin:end])
        if end - begin < _FEW:
            bounds.append(_length_of_all(points, rounding[graph]))
            continue
        edges = slice(*near.edge_ptr[graph : graph + 2].tolist())
        ends, length = near.edge_index[:, edges].numpy() - begin, near.edges["distance"][edges].numpy()
        price = _prices(ends, length, end - begin)
        bounds.append(max(_one_tree(points, rounding[graph], each) for each in (price, np.zeros_like(price))))
    return torch.tensor(bounds, dtype=torch.float64, device=instances.device)


def _length_of_all(points: np.ndarray, rounding: int) -> float:
    """Of the one tour that fewer than four points have."""
    return sum(distance_between(points, rounding, k - 1, k) for k in range(len(points)))


def _prices(ends: np.ndarray, length: np.ndarray, size: int) -> np.ndarray:
    """[n] float64: after subgradient steps towards degree 2, along the mean of the last two degrees, ever shorter.

    Steps as Volgenant & Jonker 1982, "A branch and bound algorithm for the symmetric traveling salesman problem based
    on the 1-tree relaxation".
    """
    price: np.ndarray = np.zeros(size)
    before, last, step = price, price, 0.0
    for k in range(_STEPS):
        cost = length + price[ends[0]] + price[ends[1]]
        above = cost - cost.min() + 1.0  # scipy takes 0 for no edge; what all edges have more changes no tree
        tree = minimum_spanning_tree(csr_array((above, (ends[0], ends[1])), shape=(size, size))).tocoo()
        degree = np.bincount(tree.row, minlength=size) + np.bincount(tree.col, minlength=size) - 2.0
        if not k:
            step = float(tree.data.sum() + (cost.min() - 1.0) * tree.nnz) / (4 * size)
        last = price
        price = price + step * (1 - k / _STEPS) ** 2 * (0.6 * degree + 0.4 * before)
        before = degree
    return last


@jit_as_written
def _one_tree(position, rounding, price):  # type: ignore[no-untyped-def]
    """The cheapest 1-tree of all pairs under `price` [n], less twice the prices; the root is node 0."""
    size = len(position)
    near, outside = np.full(size, np.inf), np.ones(size, np.bool_)
    total, node = 0.0, 1
    outside[0] = outside[1] = False
    for _ in range(size - 2):
        following, least = -1, np.inf
        for other in range(1, size):
            if outside[other]:
                cost = distance_between(position, rounding, node, other) + price[node] + price[other]
                if cost < near[other]:
                    near[other] = cost
                if near[other] < least:
                    following, least = other, near[other]
        outside[following] = False
        total += least
        node = following
    first = second = np.inf
    for other in range(1, size):
        cost = distance_between(position, rounding, 0, other) + price[0] + price[other]
        if cost < first:
            first, second = cost, first
        elif cost < second:
            second = cost
    return total + first + second - 2 * price.sum()
