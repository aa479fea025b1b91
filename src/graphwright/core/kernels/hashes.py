"""A number for each group of rows, the same for equal groups and another, all but surely, for others; which numbers
there are."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core.kernels.jit import arrays, jit_as_written

_ONE, _TWO, _PLACE = -7046029254386353131, -4658895280553007687, -7723592293110705685
"""Odd numbers without a pattern: those of SplitMix64 (Steele et al. 2014), as signed integers."""


def hash_groups(values: Tensor, ptr: Tensor, hashes: Tensor) -> Tensor:
    """[G] int64: `hashes` [G] int64 with what the rows of each group hold, in their order, mixed in.

    values: [M, C] int64; ptr: [G + 1] int64, where the rows of each group begin.
    """
    if not values.is_cpu:
        return hash_groups_reference(values, ptr, hashes)
    out = torch.empty_like(hashes)
    _hash(*arrays(values, ptr, hashes, out))
    return out


def hash_groups_reference(values: Tensor, ptr: Tensor, hashes: Tensor) -> Tensor:
    """`hash_groups` in plain torch."""
    group = torch.repeat_interleave(torch.arange(ptr.numel() - 1, device=ptr.device), ptr.diff())
    columns = values.shape[1]
    row = torch.arange(values.shape[0], device=ptr.device) - ptr[:-1][group]
    place = row.unsqueeze(1) * columns + torch.arange(1, columns + 1, device=ptr.device)
    mixed = _mixed(values + place * _PLACE).sum(1)
    total = torch.zeros_like(hashes).index_add(0, group, mixed)
    return _mixed((hashes + ptr.diff()) * _ONE + total)


def hash_edges(edge_index: Tensor, node_ptr: Tensor, edge_ptr: Tensor) -> Tensor:
    """[B] int64: `hash_groups` of the edges of each graph, their ends counted from its first node, and of its size.

    edge_index: [2, E] int64; node_ptr, edge_ptr: [B + 1] int64.
    """
    if not edge_index.is_cpu:
        return hash_edges_reference(edge_index, node_ptr, edge_ptr)
    return torch.from_numpy(_hash_edges(*arrays(edge_index, node_ptr, edge_ptr)))


def hash_edges_reference(edge_index: Tensor, node_ptr: Tensor, edge_ptr: Tensor) -> Tensor:
    """`hash_edges` in plain torch."""
    graph = torch.repeat_interleave(torch.arange(edge_ptr.numel() - 1, device=edge_ptr.device), edge_ptr.diff())
    return hash_groups_reference((edge_index - node_ptr[:-1][graph]).T, edge_ptr, node_ptr.diff())


def first_of_each(numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Of `numbers` [M] int64 the row where each of them stands first, [U] rising, and which of these each is, [M]."""
    if not numbers.is_cpu:
        return first_of_each_reference(numbers)
    rows, which = _first_of_each(*arrays(numbers))
    return torch.from_numpy(rows), torch.from_numpy(which)


def first_of_each_reference(numbers: Tensor) -> tuple[Tensor, Tensor]:
    """`first_of_each` in plain torch."""
    values, index = torch.unique(numbers, return_inverse=True)
    every = torch.arange(index.numel(), device=index.device)
    first = index.new_full((values.numel(),), index.numel()).scatter_reduce(0, index, every, "amin")
    rows, order = first.sort()
    place = torch.empty_like(order).index_copy(0, order, every[: order.numel()])
    return rows, place[index]


def _mixed(x: Tensor) -> Tensor:
    x = (x ^ (x >> 30)) * _ONE
    x = (x ^ (x >> 27)) * _TWO
    return x ^ (x >> 31)


@jit_as_written
def _mix(x: int) -> int:
    x = (x ^ (x >> 30)) * _ONE
    x = (x ^ (x >> 27)) * _TWO
    return x ^ (x >> 31)


@jit_as_written
def _hash(values, ptr, hashes, out):  # type: ignore[no-untyped-def]
    columns = values.shape[1]
    for group in range(out.shape[0]):
        total, begin, end = 0, ptr[group], ptr[group + 1]
        for row in range(begin, end):
            for column in range(columns):
                total += _mix(values[row, column] + ((row - begin) * columns + column + 1) * _PLACE)
        out[group] = _mix((hashes[group] + end - begin) * _ONE + total)


@jit_as_written
def _hash_edges(edge_index, node_ptr, edge_ptr):  # type: ignore[no-untyped-def]
    out = np.empty(edge_ptr.size - 1, np.int64)
    for graph in range(out.size):
        total, begin, end = 0, edge_ptr[graph], edge_ptr[graph + 1]
        for edge in range(begin, end):
            for side in range(2):
                local = edge_index[side, edge] - node_ptr[graph]
                total += _mix(local + (2 * (edge - begin) + side + 1) * _PLACE)
        out[graph] = _mix((node_ptr[graph + 1] - node_ptr[graph] + end - begin) * _ONE + total)
    return out


@jit_as_written
def _first_of_each(numbers):  # type: ignore[no-untyped-def]
    """By a table with free places, at least as many as there are numbers."""
    size = 2
    while size < 2 * numbers.size:
        size *= 2
    table, rows, which = np.full(size, -1), np.empty(numbers.size, np.int64), np.empty(numbers.size, np.int64)
    count = 0
    for row in range(numbers.size):
        place = _mix(numbers[row]) & (size - 1)
        while table[place] >= 0 and numbers[rows[table[place]]] != numbers[row]:
            place = (place + 1) & (size - 1)
        if table[place] < 0:
            table[place], rows[count] = count, row
            count += 1
        which[row] = table[place]
    return rows[:count].copy(), which
