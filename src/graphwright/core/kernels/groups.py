"""Bookkeeping of ragged groups, each in one walk where torch takes a dozen small operations.

Beside each function is its reference in plain torch, which runs on any device; that of `first_largest` is what
`segment_argmax` does in other precisions.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core.kernels.jit import arrays, jit


def pointer(lengths: Tensor) -> Tensor:
    """[G + 1] int64: where groups of the `lengths` [G], integers, begin, one after the other, and the last ends."""
    if not lengths.is_cpu:
        return pointer_reference(lengths)
    return torch.from_numpy(_pointer(*arrays(lengths)))


def pointer_reference(lengths: Tensor) -> Tensor:
    """`pointer` in plain torch."""
    ptr = torch.zeros(lengths.numel() + 1, dtype=torch.int64, device=lengths.device)
    torch.cumsum(lengths, 0, out=ptr[1:])
    return ptr


def group_index(ptr: Tensor, num_rows: int) -> Tensor:
    """[M]: the group of each of the M rows that `ptr` [G + 1] divides."""
    if not ptr.is_cpu:
        return group_index_reference(ptr, num_rows)
    return torch.from_numpy(_index(*arrays(ptr), num_rows))


def group_index_reference(ptr: Tensor, num_rows: int) -> Tensor:
    """`group_index` in plain torch."""
    groups = torch.arange(ptr.numel() - 1, device=ptr.device)
    return torch.repeat_interleave(groups, ptr.diff(), output_size=num_rows)


def select_groups(ptr: Tensor, groups: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of the groups at `groups` [S]: their pointer [S + 1], the rows [M'] that they gather, the place of each in S.

    Raises IndexError where there is no such group.
    """
    if not ptr.is_cpu:
        return select_groups_reference(ptr, groups)
    found = _select(*arrays(ptr, groups))
    if found is None:
        raise IndexError(f"groups {int(groups.min())} to {int(groups.max())} of {ptr.numel() - 1}")
    chosen, rows, index = found
    return torch.from_numpy(chosen), torch.from_numpy(rows), torch.from_numpy(index)


def select_groups_reference(ptr: Tensor, groups: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`select_groups` in plain torch."""
    chosen = torch.nn.functional.pad(ptr.diff()[groups].cumsum(0), (1, 0))
    num_rows = int(chosen[-1])
    index = group_index(chosen, num_rows)
    offset = ptr[:-1][groups] - chosen[:-1]
    return chosen, torch.arange(num_rows, device=ptr.device) + offset[index], index


def interleave(ptr: Tensor) -> tuple[Tensor, Tensor]:
    """How tables of rows, one after the other, are put together group by group.

    ptr: [tables, B + 1], where the rows of each group begin in each table. The pointer [B + 1] of all of them, and for
    each of those rows its place where the tables follow each other.
    """
    if not ptr.is_cpu:
        return interleave_reference(ptr)
    total, order = _interleave(*arrays(ptr))
    return torch.from_numpy(total), torch.from_numpy(order)


def interleave_reference(ptr: Tensor) -> tuple[Tensor, Tensor]:
    """`interleave` in plain torch."""
    parts = torch.nn.functional.pad(ptr.diff(dim=1).T.flatten().cumsum(0), (1, 0))  # of each group, one a table
    before = ptr[:, :-1] + (ptr[:, -1:].cumsum(0) - ptr[:, -1:])
    num_rows = int(parts[-1])
    shift = (before.T.flatten() - parts[:-1])[group_index(parts, num_rows)]
    return parts[:: ptr.shape[0]].contiguous(), torch.arange(num_rows, device=ptr.device) + shift


def first_largest(values: Tensor, ptr: Tensor) -> Tensor:
    """[G]: the place inside its group of the first largest of `values` [M] float32; -1 where that is -inf, or none."""
    return torch.from_numpy(_first_largest(*arrays(values, ptr)))


def first_without_opposite(edge_index: Tensor, edge_ptr: Tensor, reverse: Tensor) -> int:
    """The first edge of which `reverse` [E] does not name the opposite, a loop's being itself; -1 where there is none.

    edge_index: [2, E]; edge_ptr: [B + 1], where the edges of each graph begin, from which `reverse` counts.
    """
    return int(_without_opposite(*arrays(edge_index.cpu(), edge_ptr.cpu(), reverse.cpu())))


@jit
def _without_opposite(edge_index, edge_ptr, reverse):  # type: ignore[no-untyped-def]
    for g in range(edge_ptr.size - 1):
        begin, size = edge_ptr[g], edge_ptr[g + 1] - edge_ptr[g]
        for e in range(begin, edge_ptr[g + 1]):
            r = reverse[e]
            if r < 0 or r >= size or reverse[begin + r] != e - begin:
                return e
            source, destination = edge_index[0, e], edge_index[1, e]
            if edge_index[0, begin + r] != destination or edge_index[1, begin + r] != source:
                return e
            if source == destination and begin + r != e:
                return e
    return -1


@jit
def _pointer(lengths):  # type: ignore[no-untyped-def]
    ptr = np.zeros(lengths.size + 1, np.int64)
    for g in range(lengths.size):
        ptr[g + 1] = ptr[g] + lengths[g]
    return ptr


@jit
def _index(ptr, num_rows):  # type: ignore[no-untyped-def]
    out = np.empty(num_rows, np.int64)
    for g in range(ptr.size - 1):
        for k in range(ptr[g], ptr[g + 1]):
            out[k] = g
    return out


@jit
def _select(ptr, groups):  # type: ignore[no-untyped-def]
    """What `select_groups` gives, None where there is no such group. Negative ones count from the end."""
    chosen = np.zeros(groups.size + 1, np.int64)
    for s in range(groups.size):
        g = groups[s] if groups[s] >= 0 else groups[s] + ptr.size - 1
        if g < 0 or g >= ptr.size - 1:
            return None
        chosen[s + 1] = chosen[s] + ptr[g + 1] - ptr[g]
    rows, index = np.empty(chosen[groups.size], np.int64), np.empty(chosen[groups.size], np.int64)
    for s in range(groups.size):
        g = groups[s] if groups[s] >= 0 else groups[s] + ptr.size - 1
        shift = ptr[g] - chosen[s]
        for k in range(chosen[s], chosen[s + 1]):
            rows[k] = k + shift
            index[k] = s
    return chosen, rows, index


@jit
def _first_largest(values, ptr):  # type: ignore[no-untyped-def]
    out = np.empty(ptr.size - 1, np.int64)
    for g in range(ptr.size - 1):
        largest, place = np.float32(-np.inf), -1
        for k in range(ptr[g], ptr[g + 1]):
            if values[k] > largest:
                largest, place = values[k], k - ptr[g]
        out[g] = place
    return out


@jit
def _interleave(ptr):  # type: ignore[no-untyped-def]
    total = np.zeros(ptr.shape[1], np.int64)
    for g in range(ptr.shape[1]):
        for table in range(ptr.shape[0]):
            total[g] += ptr[table, g]
    order, k = np.empty(total[ptr.shape[1] - 1], np.int64), 0
    for g in range(ptr.shape[1] - 1):
        first = 0
        for table in range(ptr.shape[0]):
            for row in range(ptr[table, g], ptr[table, g + 1]):
                order[k] = first + row
                k += 1
            first += ptr[table, ptr.shape[1] - 1]
    return total, order
