"""Sum, mean and maximum of each group side by side, in one walk."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphwright.core import Segments
from graphwright.core.kernels.jit import arrays, differentiable, has_kernel, jit
from graphwright.core.segment import segment_max, segment_mean, segment_sum


def sum_mean_max(x: Tensor, segments: Segments) -> Tensor:
    """out[g] = [Σ x[r] ‖ mean x[r] ‖ max x[r]] over the rows r of group g, [G, 3F]; 0 for an empty group.

    x: [M, F]. Rows that share a maximum share its gradient evenly.
    """
    return differentiable(_SumMeanMax, x, segments) if has_kernel(x) else sum_mean_max_reference(x, segments)


def sum_mean_max_reference(x: Tensor, segments: Segments) -> Tensor:
    """`sum_mean_max` in plain torch."""
    return torch.cat([segment_sum(x, segments), segment_mean(x, segments), segment_max(x, segments)], dim=1)


class _SumMeanMax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, segments: Segments) -> Tensor:
        out = x.new_zeros(segments.num_groups, 3 * x.shape[1])
        _forward(*arrays(segments.ptr, x, out.view(-1, 3, x.shape[1])))
        ctx.segments = segments
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        x, out = ctx.saved_tensors
        grad_x, parts = torch.empty_like(x, memory_format=torch.contiguous_format), (-1, 3, x.shape[1])
        _backward(*arrays(ctx.segments.ptr, x, out.view(parts), grad.reshape(parts), grad_x))
        return grad_x, None


@jit
def _forward(ptr, x, out):  # type: ignore[no-untyped-def]
    for g in range(ptr.size - 1):
        first, size = ptr[g], ptr[g + 1] - ptr[g]
        if size == 0:
            continue
        for f in range(x.shape[1]):
            out[g, 2, f] = x[first, f]
        for r in range(ptr[g], ptr[g + 1]):
            for f in range(x.shape[1]):
                out[g, 0, f] += x[r, f]
                out[g, 2, f] = max(out[g, 2, f], x[r, f])
        for f in range(x.shape[1]):
            out[g, 1, f] = out[g, 0, f] / np.float32(size)


@jit
def _backward(ptr, x, out, grad, grad_x):  # type: ignore[no-untyped-def]
    alike, share = np.empty(x.shape[1], np.float32), np.empty(x.shape[1], np.float32)
    for g in range(ptr.size - 1):
        size = np.float32(ptr[g + 1] - ptr[g])
        for f in range(x.shape[1]):
            alike[f] = 0
        for r in range(ptr[g], ptr[g + 1]):
            for f in range(x.shape[1]):
                alike[f] += np.float32(1) if x[r, f] == out[g, 2, f] else np.float32(0)
        for f in range(x.shape[1]):
            alike[f] = grad[g, 2, f] / alike[f]
            share[f] = grad[g, 0, f] + grad[g, 1, f] / size
        for r in range(ptr[g], ptr[g + 1]):
            for f in range(x.shape[1]):
                grad_x[r, f] = share[f] + (alike[f] if x[r, f] == out[g, 2, f] else np.float32(0))
