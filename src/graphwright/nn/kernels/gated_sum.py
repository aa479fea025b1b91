"""Gates on edges and the sum that they weigh: the messages of GatedGCN and its new edge states."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.exponential import exp_in_place
from graphwright.core.kernels.jit import arrays, differentiable, has_kernel, jit
from graphwright.core.segment import segment_sum
from graphwright.nn.kernels.csr import csr

EPSILON = 1e-6  # what keeps a node without neighbours from 0 / 0
_EPSILON = np.float32(EPSILON)


def gated_sum(nodes: Tensor, edges: Tensor, graph: GraphBatch) -> tuple[Tensor, Tensor]:
    """gate[e] = nodes[i, 0] + nodes[j, 1] + edges[e] for each edge e: j → i, and the mean of values that it weighs.

    out[i] = Σ σ(gate[e]) ⊙ nodes[j, 2] / (Σ σ(gate[e]) + 1e-6) (Bresson & Laurent 2017, equations 11 and 12).
    nodes: [N, 3, F], gate as destination, gate as source, value; edges: [E, F]. Returns out [N, F] and gate [E, F].
    """
    return (
        differentiable(_GatedSum, nodes, edges, graph)
        if has_kernel(nodes)
        else gated_sum_reference(nodes, edges, graph)
    )


def gated_sum_reference(nodes: Tensor, edges: Tensor, graph: GraphBatch) -> tuple[Tensor, Tensor]:
    """`gated_sum` in plain torch."""
    source, destination = graph.edge_index
    gate = nodes[destination, 0] + nodes[source, 1] + edges
    weight = gate.sigmoid()
    total = segment_sum(weight * nodes[source, 2], graph.in_edges)
    return total / (segment_sum(weight, graph.in_edges) + EPSILON), gate


class _GatedSum(torch.autograd.Function):
    """The weights σ(gate) stay for the backward walk, so that none is computed twice."""

    @staticmethod
    def forward(ctx: Any, nodes: Tensor, edges: Tensor, graph: GraphBatch) -> tuple[Tensor, Tensor]:
        ctx.graph = graph
        ctx.set_materialize_grads(False)  # nobody may want the last round's gates
        out, total = nodes.new_zeros(2, graph.num_nodes, nodes.shape[2])
        gate, weight = edges.new_empty(*edges.shape), edges.new_empty(*edges.shape)
        _forward(*csr(graph), *arrays(nodes, edges, gate, weight, total, out))
        ctx.save_for_backward(nodes, weight, total, out)
        return out, gate

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None, grad_gate: Tensor | None) -> tuple[Tensor, Tensor, None]:
        nodes, weight, total, out = ctx.saved_tensors
        grad = torch.zeros_like(out) if grad is None else grad
        grad_gate = weight[:0] if grad_gate is None else grad_gate
        grad_nodes, grad_edges = nodes.new_zeros(*nodes.shape), torch.empty_like(weight)
        _backward(*csr(ctx.graph), *arrays(nodes, weight, total, out, grad, grad_gate, grad_nodes, grad_edges))
        return grad_nodes, grad_edges, None


@jit
def _forward(ptr, sources, nodes, edges, gate, weight, total, out):  # type: ignore[no-untyped-def]
    """exp of -|gate| is taken, which never overflows."""
    width = out.shape[1]
    share, bits = np.empty(width, np.float32), np.empty(width, np.int32)
    for i in range(out.shape[0]):
        for e in range(ptr[i], ptr[i + 1]):
            j = sources[e]
            for f in range(width):
                gate[e, f] = nodes[i, 0, f] + nodes[j, 1, f] + edges[e, f]
                share[f] = -abs(gate[e, f])
            exp_in_place(share, bits)
            for f in range(width):
                weight[e, f] = (np.float32(1) if gate[e, f] >= 0 else share[f]) / (np.float32(1) + share[f])
            for f in range(width):
                total[i, f] += weight[e, f]
                out[i, f] += weight[e, f] * nodes[j, 2, f]
        for f in range(width):
            total[i, f] += _EPSILON
            out[i, f] /= total[i, f]


@jit
def _backward(ptr, sources, nodes, weight, total, out, grad, grad_gate, grad_nodes, grad_edges):  # type: ignore[no-untyped-def]
    width = out.shape[1]
    share = np.empty(width, np.float32)
    for i in range(out.shape[0]):
        for f in range(width):
            share[f] = grad[i, f] / total[i, f]
        for e in range(ptr[i], ptr[i + 1]):
            j = sources[e]
            for f in range(width):
                slope = weight[e, f] * (np.float32(1) - weight[e, f])
                grad_edges[e, f] = share[f] * slope * (nodes[j, 2, f] - out[i, f])
            if grad_gate.shape[0]:
                for f in range(width):
                    grad_edges[e, f] += grad_gate[e, f]
            for f in range(width):
                grad_nodes[i, 0, f] += grad_edges[e, f]
            for f in range(width):
                grad_nodes[j, 1, f] += grad_edges[e, f]
                grad_nodes[j, 2, f] += share[f] * weight[e, f]
