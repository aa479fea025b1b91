"""The sum over incoming edges of relu(neighbour + edge): the messages of GINE, never in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, differentiable, has_kernel, jit
from graphwright.core.segment import segment_sum
from graphwright.nn.kernels.products import (
    add_outer_product,
    add_product,
    filled,
    turn_back,
    turned,
    unfill,
    write_inner_products,
)


def edge_relu_sum(x: Tensor, edge: Tensor, weight: Tensor, epsilon: Tensor, graph: GraphBatch) -> Tensor:
    """out[i] = (1 + ε) · x[i] + Σ relu(x[j] + weight @ edge[e]) over the edges e: j → i (Hu et al. 2020).

    x, out: [N, F]; edge: [E, D]; weight: [F, D]; epsilon: a number [].
    """
    if not has_kernel(x):
        return edge_relu_sum_reference(x, edge, weight, epsilon, graph)
    return differentiable(_EdgeReluSum, x, edge, weight, epsilon, graph)


def edge_relu_sum_reference(x: Tensor, edge: Tensor, weight: Tensor, epsilon: Tensor, graph: GraphBatch) -> Tensor:
    """`edge_relu_sum` in plain torch."""
    messages = segment_sum(F.relu(x[graph.edge_index[0]] + edge @ weight.t()), graph.in_edges)
    return torch.addcmul(messages, 1 + epsilon, x)


class _EdgeReluSum(torch.autograd.Function):
    """Nothing is kept between the two walks; the backward walk recomputes the messages."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, edge: Tensor, weight: Tensor, epsilon: Tensor, graph: GraphBatch) -> Tensor:
        ctx.graph = graph
        ctx.save_for_backward(x, edge, weight, epsilon)
        out = x.new_empty(*x.shape)
        _forward(*arrays(graph.edge_index, x, edge, weight, epsilon, out))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor | None, Tensor, Tensor, None]:
        x, edge, weight, epsilon = ctx.saved_tensors
        grad_x, grad_weight = (one.new_empty(*one.shape) for one in (x, weight))
        grad_epsilon = torch.empty_like(epsilon)
        grad_edge = edge.new_empty(*edge.shape) if ctx.needs_input_grad[1] else edge[:0]
        _backward(
            *arrays(ctx.graph.edge_index, x, edge, weight, epsilon, grad, grad_x, grad_weight, grad_edge, grad_epsilon)
        )
        return grad_x, grad_edge if ctx.needs_input_grad[1] else None, grad_weight, grad_epsilon, None


@jit
def _before_relu(sources, x, edge, weight, first, hidden):  # type: ignore[no-untyped-def]
    """hidden[t] ← x[j] + weight @ edge of edge first + t."""
    for t in range(hidden.shape[0]):
        j = sources[min(first + t, sources.size - 1)]
        for f in range(hidden.shape[1]):
            hidden[t, f] = x[j, f]
    add_product(hidden, edge, first, weight)


@jit
def _forward(ends, x, edge, weight, epsilon, out):  # type: ignore[no-untyped-def]
    sources, destination, share = ends[0], ends[1], np.float32(1) + epsilon[()]
    edge, weight = filled(edge), turned(weight)
    for i in range(x.shape[0]):
        for f in range(x.shape[1]):
            out[i, f] = share * x[i, f]
    hidden = np.empty((4, x.shape[1]), np.float32)
    for first in range(0, sources.size, 4):
        _before_relu(sources, x, edge, weight, first, hidden)
        for t in range(min(4, sources.size - first)):
            i = destination[first + t]
            for f in range(x.shape[1]):
                out[i, f] += max(hidden[t, f], np.float32(0))


@jit
def _own_backward(x, epsilon, grad, grad_x, grad_epsilon):  # type: ignore[no-untyped-def]
    """grad_x ← (1 + ε) · grad, grad_epsilon ← Σ grad · x."""
    share, total = np.float32(1) + epsilon[()], np.float64(0)
    for i in range(x.shape[0]):
        dot = np.float32(0)
        for f in range(x.shape[1]):
            grad_x[i, f] = share * grad[i, f]
            dot += grad[i, f] * x[i, f]
        total += dot
    grad_epsilon[()] = total


@jit
def _backward(ends, x, edge, weight, epsilon, grad, grad_x, grad_weight, grad_edge, grad_epsilon):  # type: ignore[no-untyped-def]
    _own_backward(x, epsilon, grad, grad_x, grad_epsilon)
    sources, destination, edge, weight = ends[0], ends[1], filled(edge), turned(weight)
    grad_turned, grad_filled = np.zeros_like(weight), np.empty((grad_edge.shape[0], edge.shape[1]), np.float32)
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
        add_outer_product(grad_turned, edge, first, hidden)
        if grad_edge.shape[0]:
            write_inner_products(grad_filled, first, hidden, weight)
    turn_back(grad_turned, grad_weight)
    unfill(grad_filled, grad_edge)
