"""Tours of any number of points in nearly linear time: along a space-filling curve, or of short edges."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import jit_as_written
from graphwright.envs.problems.tour.sequence import in_order

_LEVELS = 16
"""Of the curve: squares of 2⁻¹⁶ of the side hold one point mostly."""
_NEAR = 8
"""Neighbours that a greedy edge leads to; among ends of paths that are left over, again and again."""


def space_filling(instances: GraphBatch) -> GraphBatch:
    """Tours in the order of a Hilbert curve through each graph's square, about a quarter longer than need be.

    Platzman & Bartholdi 1989, "Spacefilling curves and the planar travelling salesman problem". Time: of sorting.
    """
    orders = [
        begin + torch.from_numpy(np.argsort(_along_curve(position), kind="stable"))
        for begin, position in _each(instances)
    ]
    return in_order(instances, torch.cat([*orders, torch.empty(0, dtype=torch.int64)]).to(instances.device))


def greedy_edges(instances: GraphBatch) -> GraphBatch:
    """Tours of the shortest edges that leave paths, one after the other, by plain distances of positions.

    The greedy heuristic of Bentley 1992, "Fast algorithms for geometric traveling salesman problems". Edges lead to
    near nodes at first; where paths are left over, to near ends of others, until there is one path.
    """
    orders = [begin + torch.from_numpy(_greedy_path(position)) for begin, position in _each(instances)]
    return in_order(instances, torch.cat([*orders, torch.empty(0, dtype=torch.int64)]).to(instances.device))


def _each(instances: GraphBatch) -> list[tuple[int, np.ndarray]]:
    """The first node of each graph, and its positions [n, 2]."""
    position = instances.nodes["position"].cpu().numpy()
    return [(begin, position[begin:end]) for begin, end in pairwise(instances.node_ptr.tolist())]


def _along_curve(position: np.ndarray) -> np.ndarray:
    """[n] int64: how far along the Hilbert curve of `_LEVELS` levels each point is."""
    if not len(position):
        return np.empty(0, np.int64)
    low = position.min(0)
    side = max(float((position.max(0) - low).max()), 1e-300)
    x, y = np.minimum((position - low) / side * 2**_LEVELS, 2**_LEVELS - 1).astype(np.int64).T
    place = np.zeros(len(position), np.int64)
    for level in range(_LEVELS - 1, -1, -1):
        right, up = (x >> level) & 1, (y >> level) & 1
        place = 4 * place + ((3 * right) ^ up)
        turned = (up == 0) & (right == 1)
        x, y = np.where(turned, 2**_LEVELS - 1 - x, x), np.where(turned, 2**_LEVELS - 1 - y, y)
        x, y = np.where(up == 0, y, x), np.where(up == 0, x, y)
    return place


def _greedy_path(position: np.ndarray) -> np.ndarray:
    """[n] int64: the points in the order of the path."""
    from scipy.spatial import cKDTree

    size = len(position)
    next_to, path_of = np.full((size, 2), -1), np.arange(size)
    left = np.arange(size)  # the ends of paths
    while len(np.unique(path_of[left])) > 1:
        asked = min(_NEAR + 1, len(left))
        far, near = cKDTree(position[left]).query(position[left], k=asked)
        one, other, far = left.repeat(asked), left[near.ravel()], far.ravel()
        between = path_of[one] != path_of[other]
        one, other, far = one[between], other[between], far[between]
        order = np.argsort(far, kind="stable")
        _join(one[order], other[order], next_to, path_of)
        left = (next_to[:, 1] < 0).nonzero()[0]
    return _walk(next_to)


@jit_as_written
def _join(one, other, next_to, path_of):  # type: ignore[no-untyped-def]
    """Take each edge whose ends are ends of two paths; `path_of` [n] is a forest first, and then exact again."""
    for k in range(one.size):
        a, b = one[k], other[k]
        if next_to[a, 1] >= 0 or next_to[b, 1] >= 0:
            continue
        root_a, root_b = a, b
        while path_of[root_a] != root_a:
            path_of[root_a] = path_of[path_of[root_a]]
            root_a = path_of[root_a]
        while path_of[root_b] != root_b:
            path_of[root_b] = path_of[path_of[root_b]]
            root_b = path_of[root_b]
        if root_a == root_b:
            continue
        path_of[max(root_a, root_b)] = min(root_a, root_b)
        next_to[a, 1 if next_to[a, 0] >= 0 else 0] = b
        next_to[b, 1 if next_to[b, 0] >= 0 else 0] = a
    for node in range(path_of.size):  # roots are the lowest of their paths, so that theirs is known already
        path_of[node] = path_of[path_of[node]]


@jit_as_written
def _walk(next_to):  # type: ignore[no-untyped-def]
    size = len(next_to)
    order = np.empty(size, np.int64)
    before, node = -1, 0
    for start in range(size):
        if next_to[start, 1] < 0:
            node = start
            break
    for k in range(size):
        order[k] = node
        following = next_to[node, 0] if next_to[node, 0] != before or next_to[node, 1] < 0 else next_to[node, 1]
        before, node = node, following
    return order
