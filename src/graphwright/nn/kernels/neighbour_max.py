"""The elementwise maximum over neighbours."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, differentiable, has_kernel, jit
from graphwright.core.segment import segment_max
from graphwright.nn.kernels.csr import csr


def neighbour_max(x: Tensor, graph: GraphBatch) -> Tensor:
    """out[i] = max x[j] over the edges j → i, elementwise. x, out: [N, F]; 0 where no edge ends."""
    return differentiable(_NeighbourMax, x, graph) if has_kernel(x) else neighbour_max_reference(x, graph)


def neighbour_max_reference(x: Tensor, graph: GraphBatch) -> Tensor:
    """`neighbour_max` in plain torch."""
    return segment_max(x[graph.edge_index[0]], graph.in_edges)


class _NeighbourMax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, graph: GraphBatch) -> Tensor:
        out = torch.zeros_like(x, memory_format=torch.contiguous_format)
        winner = torch.full(x.shape, -1, dtype=torch.int32)
        _forward(*csr(graph), *arrays(x, out, winner))
        ctx.save_for_backward(winner)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        grad_x = torch.zeros_like(grad, memory_format=torch.contiguous_format)
        _backward(*arrays(*ctx.saved_tensors, grad, grad_x))
        return grad_x, None


@jit
def _forward(ptr, sources, x, out, winner):  # type: ignore[no-untyped-def]
    for i in range(out.shape[0]):
        for e in range(ptr[i], ptr[i + 1]):
            j = sources[e]
            for f in range(x.shape[1]):
                if winner[i, f] < 0 or x[j, f] > out[i, f]:
                    out[i, f] = x[j, f]
                    winner[i, f] = j


@jit
def _backward(winner, grad, grad_x):  # type: ignore[no-untyped-def]
    for i in range(grad.shape[0]):
        for f in range(grad.shape[1]):
            if winner[i, f] >= 0:
                grad_x[winner[i, f], f] += grad[i, f]
