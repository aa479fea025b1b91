"""Aggregation over the incoming edges of every node: the only place where messages meet.

Each function comes twice. The reference is plain torch and runs on any device; on the CPU a Numba kernel walks the
rows of the CSR structure and never materialises the [E, F] messages. A backward pass scatters inside each graph, so
nothing is transposed or sorted for it. The tests hold both to the same values and gradients.
"""

from __future__ import annotations

from typing import Any

import numba
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_max, segment_sum

_jit = numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz", "arcp"})


def neighbour_sum(x: Tensor, graph: GraphBatch) -> Tensor:
    """out[i] = Σ x[j] over the edges j → i. x, out: [N, F]; 0 where no edge ends."""
    return _NeighbourSum.apply(x, graph) if _has_kernel(x) else neighbour_sum_reference(x, graph)


def neighbour_weighted_sum(x: Tensor, weight: Tensor, graph: GraphBatch) -> Tensor:
    """out[i, h] = Σ weight[e, h] · x[j, h] over the edges e: j → i. x, out: [N, H, F]; weight: [E, H]."""
    if _has_kernel(x):
        return _NeighbourWeightedSum.apply(x, weight, graph)
    return neighbour_weighted_sum_reference(x, weight, graph)


def neighbour_max(x: Tensor, graph: GraphBatch) -> Tensor:
    """out[i] = max x[j] over the edges j → i, elementwise. x, out: [N, F]; 0 where no edge ends."""
    return _NeighbourMax.apply(x, graph) if _has_kernel(x) else neighbour_max_reference(x, graph)


def neighbour_sum_reference(x: Tensor, graph: GraphBatch) -> Tensor:
    """`neighbour_sum` in plain torch."""
    return segment_sum(x[graph.edge_index[0]], graph.in_edges)


def neighbour_weighted_sum_reference(x: Tensor, weight: Tensor, graph: GraphBatch) -> Tensor:
    """`neighbour_weighted_sum` in plain torch."""
    return segment_sum(x[graph.edge_index[0]] * weight[:, :, None], graph.in_edges)


def neighbour_max_reference(x: Tensor, graph: GraphBatch) -> Tensor:
    """`neighbour_max` in plain torch."""
    return segment_max(x[graph.edge_index[0]], graph.in_edges)


def _has_kernel(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.dtype == torch.float32


def _csr(graph: GraphBatch) -> tuple[Any, Any]:
    return graph.in_edges.ptr.numpy(), graph.edge_index[0].numpy()


class _NeighbourSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, graph: GraphBatch) -> Tensor:
        ctx.graph = graph
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        _sum_forward(*_csr(graph), x.detach().contiguous().numpy(), out.numpy())
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        grad_x = torch.zeros_like(grad, memory_format=torch.contiguous_format)
        _sum_backward(*_csr(ctx.graph), grad.contiguous().numpy(), grad_x.numpy())
        return grad_x, None


@_jit
def _sum_forward(ptr, source, x, out):  # type: ignore[no-untyped-def]
    for i in range(out.shape[0]):
        row = out[i]
        row[:] = 0
        for e in range(ptr[i], ptr[i + 1]):
            row += x[source[e]]


@_jit
def _sum_backward(ptr, source, grad, grad_x):  # type: ignore[no-untyped-def]
    for i in range(grad.shape[0]):
        for e in range(ptr[i], ptr[i + 1]):
            grad_x[source[e]] += grad[i]


class _NeighbourWeightedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, graph: GraphBatch) -> Tensor:
        x, weight = x.contiguous(), weight.contiguous()
        ctx.graph = graph
        ctx.save_for_backward(x, weight)
        out = torch.zeros_like(x)
        _weighted_forward(*_csr(graph), x.detach().numpy(), weight.detach().numpy(), out.numpy())
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        x, weight = (tensor.detach() for tensor in ctx.saved_tensors)
        grad_x, grad_weight = torch.zeros_like(x), torch.empty_like(weight)
        arrays = (tensor.numpy() for tensor in (x, weight, grad.contiguous(), grad_x, grad_weight))
        _weighted_backward(*_csr(ctx.graph), *arrays)
        return grad_x, grad_weight, None


@_jit
def _weighted_forward(ptr, source, x, weight, out):  # type: ignore[no-untyped-def]
    for i in range(out.shape[0]):
        for e in range(ptr[i], ptr[i + 1]):
            for h in range(x.shape[1]):
                out[i, h] += weight[e, h] * x[source[e], h]


@_jit
def _weighted_backward(ptr, source, x, weight, grad, grad_x, grad_weight):  # type: ignore[no-untyped-def]
    for i in range(x.shape[0]):
        for e in range(ptr[i], ptr[i + 1]):
            j = source[e]
            for h in range(x.shape[1]):
                dot = x.dtype.type(0)
                for f in range(x.shape[2]):
                    dot += grad[i, h, f] * x[j, h, f]
                    grad_x[j, h, f] += weight[e, h] * grad[i, h, f]
                grad_weight[e, h] = dot


class _NeighbourMax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, graph: GraphBatch) -> Tensor:
        ctx.graph = graph
        out = torch.zeros_like(x, memory_format=torch.contiguous_format)
        winner = torch.full(x.shape, -1, dtype=torch.int32)
        _max_forward(*_csr(graph), x.detach().contiguous().numpy(), out.numpy(), winner.numpy())
        ctx.save_for_backward(winner)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        grad_x = torch.zeros_like(grad, memory_format=torch.contiguous_format)
        _max_backward(ctx.saved_tensors[0].numpy(), grad.contiguous().numpy(), grad_x.numpy())
        return grad_x, None


@_jit
def _max_forward(ptr, source, x, out, winner):  # type: ignore[no-untyped-def]
    for i in range(out.shape[0]):
        for e in range(ptr[i], ptr[i + 1]):
            j = source[e]
            for f in range(x.shape[1]):
                if winner[i, f] < 0 or x[j, f] > out[i, f]:
                    out[i, f] = x[j, f]
                    winner[i, f] = j


@_jit
def _max_backward(winner, grad, grad_x):  # type: ignore[no-untyped-def]
    for i in range(grad.shape[0]):
        for f in range(grad.shape[1]):
            if winner[i, f] >= 0:
                grad_x[winner[i, f], f] += grad[i, f]
