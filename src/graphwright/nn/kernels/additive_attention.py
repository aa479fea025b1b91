"""Additive attention over incoming edges: the scores, softmax and sum of GATv2 in one walk each way."""

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
from graphwright.nn.kernels.products import (
    add_outer_product,
    add_product,
    filled,
    turn_back,
    turned,
    unfill,
    write_inner_products,
)
from graphwright.nn.kernels.scored_sum import SLOPE


def additive_attention(query_value: Tensor, score: Tensor, edge: Tensor, weight: Tensor, graph: GraphBatch) -> Tensor:
    """out[i, h] = Σ α[e, h] · value[j, h] over the edges e: j → i; α is the softmax of their scores.

    The score of an edge is score[h] · LeakyReLU(query[i, h] + value[j, h] + (weight @ edge[e])[h]) (Brody et al.
    2022). query_value: [N, 2, H, C], query and value; score: [H, C]; edge: [E, D]; weight: [H · C, D]; D may be 0.
    out: [N, H, C], 0 where no edge ends.
    """
    if not has_kernel(query_value):
        return additive_attention_reference(query_value, score, edge, weight, graph)
    return differentiable(_AdditiveAttention, query_value, score, edge, weight, graph)


def additive_attention_reference(
    query_value: Tensor, score: Tensor, edge: Tensor, weight: Tensor, graph: GraphBatch
) -> Tensor:
    """`additive_attention` in plain torch."""
    source, destination = graph.edge_index
    query, value = query_value.unbind(1)
    hidden = query[destination] + value[source] + (edge @ weight.t()).view(-1, *score.shape)
    scores = (F.leaky_relu(hidden, float(SLOPE)) * score).sum(-1)
    attention = segment_log_softmax(scores, graph.in_edges).exp()
    return segment_sum(value[source] * attention[:, :, None], graph.in_edges)


class _AdditiveAttention(torch.autograd.Function):
    """Between the two walks only α [E, H] is kept; the backward walk recomputes the rest."""

    @staticmethod
    def forward(
        ctx: Any, query_value: Tensor, score: Tensor, edge: Tensor, weight: Tensor, graph: GraphBatch
    ) -> Tensor:
        ctx.graph = graph
        attention = query_value.new_empty(graph.num_edges, score.shape[0])
        out = query_value.new_empty(graph.num_nodes, *score.shape)
        destination = graph.edge_index[1]
        _forward(*csr(graph), *arrays(destination, query_value, score, edge, weight, attention, out))
        ctx.save_for_backward(query_value, score, edge, weight, attention)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor | None, Tensor, None]:
        query_value, score, edge, weight, attention = ctx.saved_tensors
        grads = *(one.new_zeros(*one.shape) for one in (query_value, score)), weight.new_empty(*weight.shape)
        grad_edge = edge.new_empty(*edge.shape) if ctx.needs_input_grad[2] else edge[:0]
        destination, saved = ctx.graph.edge_index[1], (query_value, score, edge, weight, attention)
        _backward(*csr(ctx.graph), *arrays(destination, *saved, grad, *grads, grad_edge))
        return grads[0], grads[1], grad_edge if ctx.needs_input_grad[2] else None, grads[2], None


@jit
def _hidden(sources, destination, rows, edge, weight, first, hidden):  # type: ignore[no-untyped-def]
    """hidden[t] ← query + value + weight @ edge of edge first + t. `rows` [2 N, H · C]: query and value in turn."""
    for t in range(hidden.shape[0]):
        e = min(first + t, sources.size - 1)
        i, j = 2 * destination[e], 2 * sources[e] + 1
        for f in range(hidden.shape[1]):
            hidden[t, f] = rows[i, f] + rows[j, f]
    add_product(hidden, edge, first, weight)


@jit
def _forward(ptr, sources, destination, query_value, score, edge, weight, attention, out):  # type: ignore[no-untyped-def]
    heads, channels = score.shape
    edge, weight = filled(edge), turned(weight)
    rows = query_value.reshape(-1, heads * channels)
    flat = np.empty((4, heads * channels), np.float32)
    hidden = flat.reshape(4, heads, channels)
    for first in range(0, sources.size, 4):
        _hidden(sources, destination, rows, edge, weight, first, flat)
        for t in range(min(4, sources.size - first)):
            for h in range(heads):
                total = np.float32(0)
                for f in range(channels):
                    value = hidden[t, h, f]
                    total += score[h, f] * (value if value > 0 else SLOPE * value)
                attention[first + t, h] = total
    bits = np.empty(attention.size, np.int32)
    for i in range(out.shape[0]):
        softmax_in_place(attention[ptr[i] : ptr[i + 1]], bits)
        for h in range(heads):
            for f in range(channels):
                out[i, h, f] = 0
        for e in range(ptr[i], ptr[i + 1]):
            j = sources[e]
            for h in range(heads):
                share = attention[e, h]
                for f in range(channels):
                    out[i, h, f] += share * query_value[j, 1, h, f]


@jit
def _backward(  # type: ignore[no-untyped-def]
    ptr, sources, destination, query_value, score, edge, weight, attention,
    grad, grad_query_value, grad_score, grad_weight, grad_edge,
):  # fmt: skip
    heads, channels = score.shape
    edge, weight = filled(edge), turned(weight)
    grad_turned, grad_filled = np.zeros_like(weight), np.empty((grad_edge.shape[0], edge.shape[1]), np.float32)
    grad_scores = np.zeros((sources.size + 3, heads), np.float32)  # three rows more, for the last block of edges
    for i in range(grad.shape[0]):
        for e in range(ptr[i], ptr[i + 1]):
            j = sources[e]
            for h in range(heads):
                total = np.float32(0)
                share = attention[e, h]
                for f in range(channels):
                    total += grad[i, h, f] * query_value[j, 1, h, f]
                    grad_query_value[j, 1, h, f] += share * grad[i, h, f]
                grad_scores[e, h] = total
        softmax_backward_in_place(grad_scores[ptr[i] : ptr[i + 1]], attention[ptr[i] : ptr[i + 1]])
    rows, grad_rows = query_value.reshape(-1, heads * channels), grad_query_value.reshape(-1, heads * channels)
    flat = np.empty((4, heads * channels), np.float32)
    hidden = flat.reshape(4, heads, channels)
    for first in range(0, sources.size, 4):
        _hidden(sources, destination, rows, edge, weight, first, flat)
        for t in range(4):
            e = min(first + t, sources.size - 1)
            i, j = 2 * destination[e], 2 * sources[e] + 1
            for h in range(heads):
                slope_up = grad_scores[first + t, h]
                slope_down = SLOPE * slope_up
                for f in range(channels):
                    slope = slope_up if hidden[t, h, f] > 0 else slope_down
                    grad_score[h, f] += slope * hidden[t, h, f]
                    hidden[t, h, f] = slope * score[h, f]
            for f in range(flat.shape[1]):
                grad_rows[i, f] += flat[t, f]
                grad_rows[j, f] += flat[t, f]
        add_outer_product(grad_turned, edge, first, flat)
        if grad_edge.shape[0]:
            write_inner_products(grad_filled, first, flat, weight)
    turn_back(grad_turned, grad_weight)
    unfill(grad_filled, grad_edge)
