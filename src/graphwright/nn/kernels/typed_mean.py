"""The mean over the neighbours of each type of edge: what a relational layer reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, differentiable, has_kernel, jit
from graphwright.nn.kernels.csr import csr


def typed_mean(x: Tensor, edge_type: Tensor, num_types: int, graph: GraphBatch) -> Tensor:
    """out[i, r] = mean of x[j] over the edges j → i of type r; 0 where there is none.

    x: [N, F]; edge_type: [E] int64; out: [N, num_types, F]. Raises ValueError where a type is not 0 to num_types - 1.
    """
    if edge_type.numel() and not 0 <= int(edge_type.min()) <= int(edge_type.max()) < num_types:
        raise ValueError(
            f"edge column 'type' holds {int(edge_type.min())} to {int(edge_type.max())}; there are "
            f"{num_types} types, counted from 0"
        )
    if not has_kernel(x):
        return typed_mean_reference(x, edge_type, num_types, graph)
    return differentiable(_TypedMean, x, edge_type, num_types, graph)


def typed_mean_reference(x: Tensor, edge_type: Tensor, num_types: int, graph: GraphBatch) -> Tensor:
    """`typed_mean` in plain torch."""
    source, destination = graph.edge_index
    group = destination * num_types + edge_type
    total = x.new_zeros(graph.num_nodes * num_types, x.shape[1]).index_add(0, group, x[source])
    count = torch.bincount(group, minlength=len(total)).clamp(min=1)
    return (total / count[:, None]).view(-1, num_types, x.shape[1])


class _TypedMean(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, edge_type: Tensor, num_types: int, graph: GraphBatch) -> Tensor:
        ctx.graph, ctx.edge_type = graph, edge_type
        out = x.new_zeros(len(x), num_types, x.shape[1])
        _forward(*csr(graph), *arrays(edge_type, x, out))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        grad_x = grad.new_zeros(grad.shape[0], grad.shape[2])
        _backward(*csr(ctx.graph), *arrays(ctx.edge_type, grad, grad_x))
        return grad_x, None, None, None


@jit
def _shares(ptr, edge_type, i, share):  # type: ignore[no-untyped-def]
    """share[r] ← one over the number of edges of type r that end in node i."""
    share[:] = 0
    for e in range(ptr[i], ptr[i + 1]):
        share[edge_type[e]] += 1
    for r in range(share.size):
        share[r] = 1 / max(share[r], np.float32(1))


@jit
def _forward(ptr, sources, edge_type, x, out):  # type: ignore[no-untyped-def]
    share = np.empty(out.shape[1], np.float32)
    for i in range(out.shape[0]):
        _shares(ptr, edge_type, i, share)
        for e in range(ptr[i], ptr[i + 1]):
            j, r = sources[e], edge_type[e]
            scale = share[r]
            for f in range(x.shape[1]):
                out[i, r, f] += scale * x[j, f]


@jit
def _backward(ptr, sources, edge_type, grad, grad_x):  # type: ignore[no-untyped-def]
    share = np.empty(grad.shape[1], np.float32)
    for i in range(grad.shape[0]):
        _shares(ptr, edge_type, i, share)
        for e in range(ptr[i], ptr[i + 1]):
            j, r = sources[e], edge_type[e]
            scale = share[r]
            for f in range(grad_x.shape[1]):
                grad_x[j, f] += scale * grad[i, r, f]
