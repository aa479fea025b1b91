"""The sum over incoming edges of relu(neighbour + edge): the messages of GINE, never in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, contiguous, differentiable, has_kernel, jit
from graphwright.core.segment import segment_sum
from graphwright.nn.kernels.csr import csr
from graphwright.nn.kernels.products import add_outer_product, add_product, write_inner_products


def edge_relu_sum(x: Tensor, edge: Tensor, weight: Tensor, graph: GraphBatch) -> Tensor:
    """out[i] = Σ relu(x[j] + weight @ edge[e]) over the edges e: j → i (Hu et al. 2020).

    x, out: [N, F]; edge: [E, D]; weight: [F, D]. 0 where no edge ends.
    """
    if not has_kernel(x):
        return edge_relu_sum_reference(x, edge, weight, graph)
    filling = -edge.shape[1] % 4
    if filling:
        edge, weight = torch.constant_pad_nd(edge, (0, filling)), torch.constant_pad_nd(weight, (0, filling))
    return differentiable(_EdgeReluSum, x, edge, weight.t(), graph)


def edge_relu_sum_reference(x: Tensor, edge: Tensor, weight: Tensor, graph: GraphBatch) -> Tensor:
    """`edge_relu_sum` in plain torch."""
    return segment_sum(F.relu(x[graph.edge_index[0]] + edge @ weight.t()), graph.in_edges)


class _EdgeReluSum(torch.autograd.Function):
    """With `weight` [D, F]. Nothing is kept between the two walks; the backward walk recomputes the messages."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, edge: Tensor, weight: Tensor, graph: GraphBatch) -> Tensor:
        ctx.graph = graph
        x, edge, weight = contiguous(x, edge, weight)
        ctx.save_for_backward(x, edge, weight)
        out = torch.zeros_like(x)
        _forward(csr(graph)[1], *arrays(graph.edge_index[1], x, edge, weight, out))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor | None, Tensor, None]:
        x, edge, weight = ctx.saved_tensors
        grad_x, grad_weight = torch.zeros_like(x), torch.zeros_like(weight)
        grad_edge = torch.empty_like(edge) if ctx.needs_input_grad[1] else edge[:0]
        destination, given = ctx.graph.edge_index[1], (x, edge, weight, grad, grad_x, grad_weight, grad_edge)
        _backward(csr(ctx.graph)[1], *arrays(destination, *given))
        return grad_x, grad_edge if ctx.needs_input_grad[1] else None, grad_weight, None


@jit
def _before_relu(sources, x, edge, weight, first, hidden):  # type: ignore[no-untyped-def]
    """hidden[t] ← x[j] + weight @ edge of edge first + t."""
    for t in range(hidden.shape[0]):
        j = sources[min(first + t, sources.size - 1)]
        for f in range(hidden.shape[1]):
            hidden[t, f] = x[j, f]
    add_product(hidden, edge, first, weight)


@jit
def _forward(sources, destination, x, edge, weight, out):  # type: ignore[no-untyped-def]
    hidden = np.empty((4, x.shape[1]), np.float32)
    for first in range(0, sources.size, 4):
        _before_relu(sources, x, edge, weight, first, hidden)
        for t in range(min(4, sources.size - first)):
            i = destination[first + t]
            for f in range(x.shape[1]):
                out[i, f] += max(hidden[t, f], np.float32(0))


@jit
def _backward(sources, destination, x, edge, weight, grad, grad_x, grad_weight, grad_edge):  # type: ignore[no-untyped-def]
    hidden = np.empty((4, x.shape[1]), np.float32)
    for first in range(0, sources.size, 4):
        _before_relu(sources, x, edge, weight, first, hidden)
        for t in range(min(4, sources.size - first)):
            i, j = destination[first + t], sources[first + t]
            for f in range(x.shape[1]):
                change = grad[i, f]  # read in either case: a load that depends on the value is not vectorised
                change = change if hidden[t, f] > 0 else np.float32(0)
                hidden[t, f] = change
                grad_x[j, f] += change
        for t in range(sources.size - first, 4):
            for f in range(x.shape[1]):
                hidden[t, f] = 0
        add_outer_product(grad_weight, edge, first, hidden)
        if grad_edge.shape[0]:
            write_inner_products(grad_edge, first, hidden, weight)
