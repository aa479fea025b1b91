"""A softmax of given scores over incoming edges, and the sum that it weighs: the attention of GAT."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from graphwright.core import GraphBatch
from graphwright.core.kernels.exponential import softmax_backward_in_place, softmax_in_place
from graphwright.core.kernels.jit import arrays, differentiable, has_kernel, jit
from graphwright.core.segment import segment_log_softmax, segment_sum
from graphwright.nn.kernels.csr import csr

SLOPE = np.float32(0.2)  # of LeakyReLU below zero, in GAT and GATv2


def scored_sum(value: Tensor, node_score: Tensor, edge_score: Tensor, graph: GraphBatch) -> Tensor:
    """out[i, h] = Σ α[e, h] · value[j, h] over the edges e: j → i; α is the softmax of their scores.

    The score of an edge is LeakyReLU(node_score[j, 0, h] + node_score[i, 1, h] + edge_score[e, h]) (Veličković et al.
    2018). value, out: [N, H, C], 0 where no edge ends; node_score: [N, 2, H], as source and as destination;
    edge_score: [E, H].
    """
    if not has_kernel(value):
        return scored_sum_reference(value, node_score, edge_score, graph)
    return differentiable(_ScoredSum, value, node_score, edge_score, graph)


def scored_sum_reference(value: Tensor, node_score: Tensor, edge_score: Tensor, graph: GraphBatch) -> Tensor:
    """`scored_sum` in plain torch."""
    source, destination = graph.edge_index
    scores = F.leaky_relu(node_score[source, 0] + node_score[destination, 1] + edge_score, float(SLOPE))
    attention = segment_log_softmax(scores, graph.in_edges).exp()
    return segment_sum(value[source] * attention[:, :, None], graph.in_edges)


class _ScoredSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, node_score: Tensor, edge_score: Tensor, graph: GraphBatch) -> Tensor:
        ctx.graph = graph
        attention, out = edge_score.new_empty(*edge_score.shape), value.new_zeros(*value.shape)
        _forward(*csr(graph), *arrays(value, node_score, edge_score, attention, out))
        ctx.save_for_backward(value, node_score, edge_score, attention)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        value, node_score, edge_score, attention = ctx.saved_tensors
        grads = *(one.new_zeros(*one.shape) for one in (value, node_score)), torch.empty_like(attention)
        _backward(*csr(ctx.graph), *arrays(value, node_score, edge_score, attention, grad, *grads))
        return *grads, None


@jit
def _forward(ptr, sources, value, node_score, edge_score, attention, out):  # type: ignore[no-untyped-def]
    nodes, heads, channels = value.shape
    bits = np.empty(attention.size, np.int32)
    for i in range(nodes):
        for e in range(ptr[i], ptr[i + 1]):
            j = sources[e]
            for h in range(heads):
                score = node_score[j, 0, h] + node_score[i, 1, h] + edge_score[e, h]
                attention[e, h] = score if score > 0 else SLOPE * score
        softmax_in_place(attention[ptr[i] : ptr[i + 1]], bits)
        for e in range(ptr[i], ptr[i + 1]):
            j = sources[e]
            for h in range(heads):
                share = attention[e, h]
                for f in range(channels):
                    out[i, h, f] += share * value[j, h, f]


@jit
def _backward(  # type: ignore[no-untyped-def]
    ptr, sources, value, node_score, edge_score, attention, grad, grad_value, grad_node_score, grad_edge_score
):  # fmt: skip
    nodes, heads, channels = value.shape
    for i in range(nodes):
        for e in range(ptr[i], ptr[i + 1]):
            j = sources[e]
            for h in range(heads):
                share = attention[e, h]
                total = np.float32(0)
                for f in range(channels):
                    total += grad[i, h, f] * value[j, h, f]
                    grad_value[j, h, f] += share * grad[i, h, f]
                grad_edge_score[e, h] = total
        softmax_backward_in_place(grad_edge_score[ptr[i] : ptr[i + 1]], attention[ptr[i] : ptr[i + 1]])
        for e in range(ptr[i], ptr[i + 1]):
            j = sources[e]
            for h in range(heads):
                score = node_score[j, 0, h] + node_score[i, 1, h] + edge_score[e, h]
                change = grad_edge_score[e, h] * (np.float32(1) if score > 0 else SLOPE)
                grad_edge_score[e, h] = change
                grad_node_score[j, 0, h] += change
                grad_node_score[i, 1, h] += change
