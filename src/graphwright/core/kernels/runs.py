"""Runs of consecutive rows, copied out of a ring or apart; and edges counted from the first node of their graph.

Beside each function is its reference in plain torch, which runs on any device.
"""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core.kernels.groups import group_index
from graphwright.core.kernels.jit import arrays, jit


def gather_runs(ring: Tensor, start: Tensor, ptr: Tensor, num_rows: int) -> Tensor:
    """The rows of `ring` [size, ...] from `start` [S] on, round its end, [M, ...]: as many for each as `ptr` says.

    start: each below size. A run is at most `size` long.
    """
    if not ring.is_cpu or not ring.is_contiguous() or ring.requires_grad:
        return gather_runs_reference(ring, start, ptr, num_rows)
    out = ring.new_empty(num_rows, *ring.shape[1:])
    if out.numel():
        _gather(*arrays(_bytes(ring), start, ptr, _bytes(out)), len(ring), out[0].nbytes)
    return out


def gather_runs_reference(ring: Tensor, start: Tensor, ptr: Tensor, num_rows: int) -> Tensor:
    """`gather_runs` in plain torch."""
    if not num_rows:
        return ring[:0]
    rows = torch.arange(num_rows, device=ring.device) + (start - ptr[:-1]).index_select(0, group_index(ptr, num_rows))
    return ring.index_select(0, torch.where(rows >= len(ring), rows - len(ring), rows))


def spread_runs(rows: Tensor, ptr: Tensor, width: int, fill: float) -> Tensor:
    """[G, width, ...]: the `rows` [M, ...] of each of G groups, then `fill`.

    Raises IndexError for a group of more than `width` rows.
    """
    if not rows.is_cpu or rows.requires_grad:
        return spread_runs_reference(rows, ptr, width, fill)
    out = rows.new_full((ptr.numel() - 1, width, *rows.shape[1:]), fill)
    if rows.numel() and not _spread(*arrays(_bytes(rows), ptr, _bytes(out)), width, rows[0].nbytes):
        raise _too_many(ptr, width)
    return out


def spread_runs_reference(rows: Tensor, ptr: Tensor, width: int, fill: float) -> Tensor:
    """`spread_runs` in plain torch."""
    if bool((ptr.diff() > width).any()):
        raise _too_many(ptr, width)
    index = group_index(ptr, len(rows))
    place = torch.arange(len(rows), device=rows.device) - ptr[index] + index * width
    out = rows.new_full(((ptr.numel() - 1) * width, *rows.shape[1:]), fill)
    return out.index_put((place,), rows).unflatten(0, (ptr.numel() - 1, width))


def strip_runs(padded: Tensor, ptr: Tensor, num_rows: int) -> Tensor:
    """[M, ...]: of each row of `padded` [G, width, ...] the first, as many as `ptr` says; undoes `spread_runs`.

    num_rows: M. Raises IndexError for a group of more than `width` rows.
    """
    if not padded.is_cpu or not padded.is_contiguous() or padded.requires_grad:
        return strip_runs_reference(padded, ptr, num_rows)
    out = padded.new_empty(num_rows, *padded.shape[2:])
    if out.numel() and not _strip(*arrays(_bytes(padded), ptr, _bytes(out)), padded.shape[1], out[0].nbytes):
        raise _too_many(ptr, padded.shape[1])
    return out


def strip_runs_reference(padded: Tensor, ptr: Tensor, num_rows: int) -> Tensor:
    """`strip_runs` in plain torch."""
    if bool((ptr.diff() > padded.shape[1]).any()):
        raise _too_many(ptr, padded.shape[1])
    index = group_index(ptr, num_rows)
    place = torch.arange(num_rows, device=padded.device) - ptr[index] + index * padded.shape[1]
    return padded.flatten(0, 1).index_select(0, place)


def checked_union_ends(ends: Tensor, edge_ptr: Tensor, node_ptr: Tensor) -> tuple[Tensor, int, bool]:
    """`to_union_ends` of ends [E, 2] int64, the first row with a node that its graph lacks, or -1, are they sorted.

    Sorted by destination, then source, inside each graph. Where a row is wrong, those from it on have no meaning.
    """
    if not ends.is_cpu:
        return checked_union_ends_reference(ends, edge_ptr, node_ptr)
    out = ends.new_empty(2, len(ends))
    wrong, is_sorted = _check(*arrays(ends.contiguous(), edge_ptr, node_ptr, out))
    return out, int(wrong), bool(is_sorted)


def checked_union_ends_reference(ends: Tensor, edge_ptr: Tensor, node_ptr: Tensor) -> tuple[Tensor, int, bool]:
    """`checked_union_ends` in plain torch."""
    graph = group_index(edge_ptr, len(ends))
    size = node_ptr.diff()[graph].unsqueeze(1)
    wrong = ((ends < 0) | (ends >= size)).any(1).nonzero()
    out = (ends + node_ptr[graph].unsqueeze(1)).t().contiguous()
    if wrong.numel():
        return out, int(wrong[0]), False
    key = out[1] * node_ptr[-1] + out[0]
    return out, -1, bool((key[1:] >= key[:-1]).all())


def to_own_ends(edge_index: Tensor, edge_ptr: Tensor, node_ptr: Tensor, dtype: torch.dtype = torch.int32) -> Tensor:
    """[E, 2] of `dtype`: the ends of each edge, counted from the first node of its graph."""
    out = edge_index.new_empty(edge_index.shape[1], 2, dtype=dtype)
    if not edge_index.is_cpu:
        return out.copy_((edge_index - node_ptr[:-1][group_index(edge_ptr, len(out))]).t())
    _to_own(*arrays(edge_index.contiguous(), edge_ptr, node_ptr, out))
    return out


def to_union_ends(ends: Tensor, edge_ptr: Tensor, node_ptr: Tensor) -> Tensor:
    """[2, E] int64: the opposite of `to_own_ends`."""
    out = ends.new_empty(2, len(ends), dtype=torch.int64)
    if not ends.is_cpu:
        return out.copy_(ends.t() + node_ptr[:-1][group_index(edge_ptr, len(ends))])
    _to_union(*arrays(ends.contiguous(), edge_ptr, node_ptr, out))
    return out


def _too_many(ptr: Tensor, width: int) -> IndexError:
    return IndexError(f"a group has {int(ptr.diff().max())} rows, there is room for {width}")


def _bytes(tensor: Tensor) -> Tensor:
    return tensor.reshape(-1).view(torch.uint8)


@jit
def _gather(ring, start, ptr, out, size, width):  # type: ignore[no-untyped-def]
    for g in range(start.size):
        count = ptr[g + 1] - ptr[g]
        straight = min(count, size - start[g])
        source = ring[start[g] * width : (start[g] + straight) * width]
        target = out[ptr[g] * width : (ptr[g] + straight) * width]
        for k in range(target.size):
            target[k] = source[k]
        rest = out[(ptr[g] + straight) * width : ptr[g + 1] * width]
        for k in range(rest.size):
            rest[k] = ring[k]


@jit
def _spread(rows, ptr, out, most, width):  # type: ignore[no-untyped-def]
    for g in range(ptr.size - 1):
        if ptr[g + 1] - ptr[g] > most:
            return False
        source = rows[ptr[g] * width : ptr[g + 1] * width]
        target = out[g * most * width : (g + 1) * most * width]
        for k in range(source.size):
            target[k] = source[k]
    return True


@jit
def _strip(rows, ptr, out, most, width):  # type: ignore[no-untyped-def]
    for g in range(ptr.size - 1):
        if ptr[g + 1] - ptr[g] > most:
            return False
        target = out[ptr[g] * width : ptr[g + 1] * width]
        source = rows[g * most * width : (g + 1) * most * width]
        for k in range(target.size):
            target[k] = source[k]
    return True


@jit
def _check(ends, edge_ptr, node_ptr, out):  # type: ignore[no-untyped-def]
    is_sorted = True
    for g in range(edge_ptr.size - 1):
        size, before = node_ptr[g + 1] - node_ptr[g], -1
        for e in range(edge_ptr[g], edge_ptr[g + 1]):
            source, destination = ends[e, 0], ends[e, 1]
            if source < 0 or source >= size or destination < 0 or destination >= size:
                return e, False
            out[0, e], out[1, e] = source + node_ptr[g], destination + node_ptr[g]
            key = destination * size + source
            is_sorted &= key >= before
            before = key
    return -1, is_sorted


@jit
def _to_own(edge_index, edge_ptr, node_ptr, out):  # type: ignore[no-untyped-def]
    for g in range(edge_ptr.size - 1):
        own = out[edge_ptr[g] : edge_ptr[g + 1]]
        for end in range(2):
            row = edge_index[end, edge_ptr[g] : edge_ptr[g + 1]]
            for e in range(row.size):
                own[e, end] = row[e] - node_ptr[g]


@jit
def _to_union(ends, edge_ptr, node_ptr, out):  # type: ignore[no-untyped-def]
    for g in range(edge_ptr.size - 1):
        own = ends[edge_ptr[g] : edge_ptr[g + 1]]
        for end in range(2):
            row = out[end, edge_ptr[g] : edge_ptr[g + 1]]
            for e in range(row.size):
                row[e] = own[e, end] + node_ptr[g]
