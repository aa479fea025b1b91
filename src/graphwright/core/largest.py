"""The largest of many numbers that change: a tree of maxima."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core.kernels.jit import jit_as_written
from graphwright.core.kernels.loops import with_room


class LargestOf:
    """N numbers, of which some change and the largest are asked for, in O(log N) each. 16 bytes a number."""

    def __init__(self, values: Tensor) -> None:
        """values: [N] float, at least one, no NaN."""
        self._tree = empty_tree(values.numel())
        self._leaves = len(self._tree) // 2
        self.fill(values)

    def fill(self, values: Tensor) -> None:
        """Exchange all numbers."""
        self._tree[self._leaves : self._leaves + values.numel()] = values.numpy()
        fill_tree(self._tree)

    def update(self, rows: Tensor, values: Tensor) -> None:
        """Exchange the numbers at `rows` [M] int64 for `values` [M]."""
        update_tree(self._tree, rows.numpy(), values.numpy())

    @property
    def largest(self) -> float:
        """The largest number."""
        return float(self._tree[1])

    @property
    def first_largest(self) -> int:
        """The row of the largest, the first of equals."""
        return int(first_of_largest(self._tree))

    def at_least(self, threshold: float) -> Tensor:
        """The rows whose numbers are at least `threshold`, rising, [M] int64."""
        return torch.from_numpy(_at_least(self._tree, threshold))


@jit_as_written
def empty_tree(size):  # type: ignore[no-untyped-def]
    """[2 L] of −∞, for `size` numbers: L is the next power of two."""
    leaves = 1
    while leaves < size:
        leaves *= 2
    return np.full(2 * leaves, -np.inf)


@jit_as_written
def fill_tree(tree):  # type: ignore[no-untyped-def]
    """All maxima of `tree` [2 L] from its L leaves, the second half."""
    for k in range(tree.size // 2 - 1, 0, -1):
        tree[k] = max(tree[2 * k], tree[2 * k + 1])


@jit_as_written
def update_tree(tree, rows, values):  # type: ignore[no-untyped-def]
    """Leaves `rows` [M] ← `values` [M], and the maxima above them."""
    leaves = tree.size // 2
    for m in range(rows.size):
        k = leaves + rows[m]
        tree[k] = values[m]
        while k > 1:
            k //= 2
            above = max(tree[2 * k], tree[2 * k + 1])
            if tree[k] == above:
                break
            tree[k] = above


@jit_as_written
def first_of_largest(tree):  # type: ignore[no-untyped-def]
    """The first leaf that is the largest."""
    k = 1
    while k < tree.size // 2:
        k *= 2
        if tree[k] < tree[k + 1]:
            k += 1
    return k - tree.size // 2


@jit_as_written
def _at_least(tree, threshold):  # type: ignore[no-untyped-def]
    leaves = tree.size // 2
    stack = np.empty(128, np.int64)
    found, size, depth = np.empty(16, np.int64), 0, 1
    stack[0] = 1
    while depth:
        depth -= 1
        k = stack[depth]
        if not tree[k] >= threshold:
            continue
        if k >= leaves:
            found = with_room(found, size)
            found[size] = k - leaves
            size += 1
        else:
            stack[depth], stack[depth + 1] = 2 * k + 1, 2 * k
            depth += 2
    return found[:size]
