"""Dot-product attention over incoming edges, with edge features in key and value: one walk each way.

The projection of an edge is never built. Since q · (k + W e) = q · k + (Wᵀ q) · e and Σ α (v + W e) = Σ α v + W Σ α e,
it is W that meets the query and the mean edge, once a node: [N, H, D] in place of [E, H, C].
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.exponential import softmax_backward_in_place, softmax_in_place
from graphwright.core.kernels.jit import arrays, differentiable, has_kernel, jit
from graphwright.core.segment import segment_log_softmax, segment_sum
from graphwright.nn.kernels.csr import csr


def dot_product_attention(query_key_value: Tensor, edge: Tensor, weight: Tensor, graph: GraphBatch) -> Tensor:
    """out[i, h] = Σ α[e, h] · (value[j, h] + weight[h] @ edge[e]) over the edges e: j → i; α: softmax of the scores.

    The score of an edge is query[i, h] · (key[j, h] + weight[h] @ edge[e]) / √C (Shi et al. 2021, equation 3).
    query_key_value: [N, 3, H, C]; edge: [E, D]; weight: [H, C, D]; D may be 0. out: [N, H, C], 0 where no edge ends.
    """
    if not has_kernel(query_key_value):
        return dot_product_attention_reference(query_key_value, edge, weight, graph)
    return differentiable(_DotProductAttention, query_key_value, edge, weight, graph)


def dot_product_attention_reference(query_key_value: Tensor, edge: Tensor, weight: Tensor, graph: GraphBatch) -> Tensor:
    """`dot_product_attention` in plain torch."""
    source, destination = graph.edge_index
    query, key, value = query_key_value.unbind(1)
    projected = torch.einsum("hcd,ed->ehc", weight, edge)
    scores = (query[destination] * (key[source] + projected)).sum(-1) / math.sqrt(query.shape[2])
    attention = segment_log_softmax(scores, graph.in_edges).exp()
    return segment_sum((value[source] + projected) * attention[:, :, None], graph.in_edges)


class _DotProductAttention(torch.autograd.Function):
    """Between the two walks only what has the size of α [E, H] is kept."""

    @staticmethod
    def forward(ctx: Any, query_key_value: Tensor, edge: Tensor, weight: Tensor, graph: GraphBatch) -> Tensor:
        nodes, _, heads, channels = query_key_value.shape
        # One product for all heads: the zeros between the blocks cost less than a product for each.
        blocks = torch.block_diag(*weight)  # [H · C, H · D]
        query_edge = (query_key_value[:, 0].flatten(1) @ blocks).view(nodes, heads, edge.shape[1])
        mean_edge = query_edge.new_zeros(*query_edge.shape)
        attention = query_key_value.new_empty(graph.num_edges, heads)
        out = query_key_value.new_zeros(nodes, heads, channels)
        _forward(*csr(graph), *arrays(query_key_value, query_edge, edge, attention, mean_edge, out))
        out.flatten(1).addmm_(mean_edge.flatten(1), blocks.t())
        ctx.graph = graph
        ctx.save_for_backward(query_key_value, edge, blocks, query_edge, attention, mean_edge)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor | None, Tensor, None]:
        query_key_value, edge, blocks, query_edge, attention, mean_edge = ctx.saved_tensors
        flat = grad.flatten(1)
        grad_mean_edge = (flat @ blocks).view_as(mean_edge)
        grad_query_key_value, grad_query_edge = (one.new_zeros(*one.shape) for one in (query_key_value, query_edge))
        grad_edge = edge.new_empty(*edge.shape) if ctx.needs_input_grad[1] else edge[:0]
        given = query_key_value, query_edge, edge, attention, grad, grad_mean_edge
        _backward(*csr(ctx.graph), *arrays(*given, grad_query_key_value, grad_query_edge, grad_edge))
        grad_query_key_value[:, 0].flatten(1).addmm_(grad_query_edge.flatten(1), blocks.t())
        grad_blocks = query_key_value[:, 0].flatten(1).t() @ grad_query_edge.flatten(1)
        grad_blocks.addmm_(flat.t(), mean_edge.flatten(1))
        heads, channels = grad.shape[1:]
        grad_weight = grad_blocks.view(heads, channels, heads, edge.shape[1]).diagonal(dim1=0, dim2=2).movedim(2, 0)
        return grad_query_key_value, grad_edge if ctx.needs_input_grad[1] else None, grad_weight, None


@jit
def _forward(ptr, sources, query_key_value, query_edge, edge, attention, mean_edge, out):  # type: ignore[no-untyped-def]
    nodes, heads, channels = out.shape
    scale = np.float32(1 / math.sqrt(channels))
    bits = np.empty(attention.size, np.int32)
    for i in range(nodes):
        for e in range(ptr[i], ptr[i + 1]):
            j = sources[e]
            for h in range(heads):
                total = np.float32(0)
                for f in range(channels):
                    total += query_key_value[i, 0, h, f] * query_key_value[j, 1, h, f]
                for d in range(edge.shape[1]):
                    total += query_edge[i, h, d] * edge[e, d]
                attention[e, h] = scale * total
        softmax_in_place(attention[ptr[i] : ptr[i + 1]], bits)
        for e in range(ptr[i], ptr[i + 1]):
            j = sources[e]
            for h in range(heads):
                share = attention[e, h]
                for f in range(channels):
                    out[i, h, f] += share * query_key_value[j, 2, h, f]
                for d in range(edge.shape[1]):
                    mean_edge[i, h, d] += share * edge[e, d]


@jit
def _backward(  # type: ignore[no-untyped-def]
    ptr, sources, query_key_value, query_edge, edge, attention,
    grad, grad_mean_edge, grad_query_key_value, grad_query_edge, grad_edge,
):  # fmt: skip
    nodes, heads, channels = grad.shape
    scale = np.float32(1 / math.sqrt(channels))
    grad_scores = np.empty(attention.shape, np.float32)
    for i in range(nodes):
        for e in range(ptr[i], ptr[i + 1]):
            j = sources[e]
            for h in range(heads):
                share = attention[e, h]
                total = np.float32(0)
                for f in range(channels):
                    total += grad[i, h, f] * query_key_value[j, 2, h, f]
                    grad_query_key_value[j, 2, h, f] += share * grad[i, h, f]
                for d in range(edge.shape[1]):
                    total += grad_mean_edge[i, h, d] * edge[e, d]
                grad_scores[e, h] = scale * total
        softmax_backward_in_place(grad_scores[ptr[i] : ptr[i + 1]], attention[ptr[i] : ptr[i + 1]])
        for e in range(ptr[i], ptr[i + 1]):
            j = sources[e]
            for h in range(heads):
                change = grad_scores[e, h]
                for f in range(channels):
                    grad_query_key_value[i, 0, h, f] += change * query_key_value[j, 1, h, f]
                    grad_query_key_value[j, 1, h, f] += change * query_key_value[i, 0, h, f]
                for d in range(edge.shape[1]):
                    grad_query_edge[i, h, d] += change * edge[e, d]
        if grad_edge.shape[0]:
            for e in range(ptr[i], ptr[i + 1]):
                for d in range(edge.shape[1]):
                    total = np.float32(0)
                    for h in range(heads):
                        total += attention[e, h] * grad_mean_edge[i, h, d] + grad_scores[e, h] * query_edge[i, h, d]
                    grad_edge[e, d] = total
