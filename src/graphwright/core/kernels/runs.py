"""Runs of consecutive rows, copied out of a ring; and edges that are counted from the first node of their graph.

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
    if not ring.is_cpu or not ring.is_contiguous():
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


def to_own_ends(edge_index: Tensor, edge_ptr: Tensor, node_ptr: Tensor) -> Tensor:
    """[E, 2] int32: the ends of each edge, counted from the first node of its graph."""
    out = edge_index.new_empty(edge_index.shape[1], 2, dtype=torch.int32)
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
