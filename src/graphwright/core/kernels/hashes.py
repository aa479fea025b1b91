"""A number for each group of rows, the same for equal groups and another, all but surely, for others."""

from __future__ import annotations

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
