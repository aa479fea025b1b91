"""Sums of groups in blocks of rows, and blocks of those: the same number however few rows changed since."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphwright.core import Segments
from graphwright.core.kernels.jit import arrays, differentiable, has_kernel, jit_as_written
from graphwright.core.segment import segment_sum

BLOCK = 64
"""Rows of a block."""


def block_sum(x: Tensor, segments: Segments) -> Tensor:
    """out[g] = Σ x[r] over the rows r of group g, [G, F]; 0 for an empty group. x: [M, F].

    Rows are added up in blocks of 64, these again in blocks of 64, and so on. Where a group has more rows than that it
    is more exact than adding them one after the other, and `BlockSums` gives the same numbers.
    """
    return differentiable(_BlockSum, x, segments) if has_kernel(x) else segment_sum(x, segments)


class BlockSums:
    """The `block_sum` of one group [N, F] float32, some of whose rows change."""

    def __init__(self, x: Tensor) -> None:
        """x: the rows, which are read again at each change."""
        self._levels = [x.numpy()]
        while len(self._levels[-1]) > BLOCK:
            below = self._levels[-1]
            above = np.zeros((-(-len(below) // BLOCK), below.shape[1]), np.float32)
            for block in range(len(above)):
                _add_block(below, BLOCK * block, min(BLOCK * (block + 1), len(below)), above, block)
            self._levels.append(above)

    def update(self, rows: Tensor) -> None:
        """The rows [M] int64, rising, of x have changed."""
        changed = rows.numpy()
        for below, above in zip(self._levels, self._levels[1:], strict=False):
            changed = _update(below, above, changed)

    @property
    def total(self) -> Tensor:
        """[1, F]."""
        top = self._levels[-1]
        out = np.zeros((1, top.shape[1]), np.float32)
        _add_block(top, 0, len(top), out, 0)
        return torch.from_numpy(out)


class _BlockSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, segments: Segments) -> Tensor:
        ctx.segments = segments
        out = x.new_zeros(segments.num_groups, x.shape[1])
        _forward(*arrays(segments.ptr, x, out))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return grad.index_select(0, ctx.segments.index), None


@jit_as_written
def _add_block(x, begin, end, out, row):  # type: ignore[no-untyped-def]
    for f in range(out.shape[1]):
        out[row, f] = 0
    for r in range(begin, end):
        for f in range(out.shape[1]):
            out[row, f] += x[r, f]


@jit_as_written
def _update(below, above, changed):  # type: ignore[no-untyped-def]
    """Add up again the blocks of `above` to which the rows `changed` of `below` belong, and return these blocks."""
    blocks, count = np.empty(changed.size, np.int64), 0
    for row in changed:
        block = row // BLOCK
        if not count or blocks[count - 1] != block:
            _add_block(below, BLOCK * block, min(BLOCK * (block + 1), len(below)), above, block)
            blocks[count] = block
            count += 1
    return blocks[:count]


@jit_as_written
def _forward(ptr, x, out):  # type: ignore[no-untyped-def]
    for g in range(out.shape[0]):
        rows = x[ptr[g] : ptr[g + 1]]
        while len(rows) > BLOCK:
            above = np.zeros((-(-len(rows) // BLOCK), out.shape[1]), np.float32)
            for block in range(len(above)):
                _add_block(rows, BLOCK * block, min(BLOCK * (block + 1), len(rows)), above, block)
            rows = above
        _add_block(rows, 0, len(rows), out, g)
