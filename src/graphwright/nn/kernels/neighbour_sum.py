"""Sums over neighbours, scaled: what GraphSAGE, GCN and GIN share."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, differentiable, has_kernel, jit
from graphwright.core.segment import segment_sum
from graphwright.nn.kernels.csr import csr


def neighbour_sum(
    x: Tensor, graph: GraphBatch, own: Tensor | None = None, source: Tensor | None = None, target: Tensor | None = None
) -> Tensor:
    """out[i] = own[i] · x[i] + target[i] · Σ source[j] · x[j] over the edges j → i.

    x, out: [N, F]. own, which counts as 0 where it is not given, and source and target, which count as 1 and get no
    gradient: [N].
    """
    if not has_kernel(x):
        return neighbour_sum_reference(x, graph, own, source, target)
    return differentiable(_NeighbourSum, x, own, source, target, graph)


def neighbour_sum_reference(
    x: Tensor, graph: GraphBatch, own: Tensor | None = None, source: Tensor | None = None, target: Tensor | None = None
) -> Tensor:
    """`neighbour_sum` in plain torch."""
    scaled = x if source is None else x * source[:, None]
    total = segment_sum(scaled[graph.edge_index[0]], graph.in_edges)
    total = total if target is None else total * target[:, None]
    return total if own is None else total + own[:, None] * x


class _NeighbourSum(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, own: Tensor | None, source: Tensor | None, target: Tensor | None, graph: GraphBatch
    ) -> Tensor:
        ctx.graph = graph
        ctx.save_for_backward(x if ctx.needs_input_grad[1] else None, own, source, target)
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        _forward(*csr(graph), *arrays(x, own, source, target, out))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor | None, None, None, None]:
        x, own, source, target = ctx.saved_tensors
        grad_x = torch.empty_like(grad, memory_format=torch.contiguous_format)
        grad_own = None if x is None else torch.empty_like(own, memory_format=torch.contiguous_format)
        _backward(*csr(ctx.graph), *arrays(x, own, source, target, grad, grad_x, grad_own))
        return grad_x, grad_own, None, None, None


@jit
def _forward(ptr, sources, x, own, source, target, out):  # type: ignore[no-untyped-def]
    for i in range(out.shape[0]):
        for f in range(out.shape[1]):
            out[i, f] = 0
        for e in range(ptr[i], ptr[i + 1]):
            j = sources[e]
            scale = np.float32(1) if source is None else source[j]
            for f in range(out.shape[1]):
                out[i, f] += scale * x[j, f]
        if target is not None:
            scale = target[i]
            for f in range(out.shape[1]):
                out[i, f] *= scale
        if own is not None:
            keep = own[i]
            for f in range(out.shape[1]):
                out[i, f] += keep * x[i, f]


@jit
def _backward(ptr, sources, x, own, source, target, grad, grad_x, grad_own):  # type: ignore[no-untyped-def]
    for i in range(grad.shape[0]):
        keep = np.float32(0) if own is None else own[i]
        for f in range(grad.shape[1]):
            grad_x[i, f] = keep * grad[i, f]
    for i in range(grad.shape[0]):
        share = np.float32(1) if target is None else target[i]
        for e in range(ptr[i], ptr[i + 1]):
            j = sources[e]
            scale = share if source is None else share * source[j]
            for f in range(grad.shape[1]):
                grad_x[j, f] += scale * grad[i, f]
    if grad_own is not None:
        for i in range(x.shape[0]):
            dot = np.float32(0)
            for f in range(x.shape[1]):
                dot += grad[i, f] * x[i, f]
            grad_own[i] = dot
