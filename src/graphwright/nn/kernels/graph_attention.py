"""Attention over all nodes of each graph, ragged: no padding, no n × n matrix in memory, no loop over graphs in Python.

For each graph and head the kernel takes four nodes at a time: their scores for all n nodes of the graph, the bias of
the edges that end in them, softmax and sum. Graphs of few nodes would leave such blocks almost empty; they go pair by
pair. The backward walk recomputes the scores.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.exponential import exp_in_place
from graphwright.core.kernels.jit import arrays, differentiable, has_kernel, jit
from graphwright.core.segment import Segments, segment_log_softmax, segment_sum
from graphwright.nn.kernels.csr import csr
from graphwright.nn.kernels.pairwise_attention import attend, attend_backward
from graphwright.nn.kernels.products import add_outer_product, add_product

FEW = 10
"""Graphs of up to so many nodes go pair by pair (measured: three times as fast for 4 nodes, even at 16)."""


def graph_attention(query_key_value: Tensor, bias: Tensor, graph: GraphBatch) -> Tensor:
    """out[i, h] = Σ softmax_j(query[i, h] · key[j, h] / √C + Σ bias[e, h] over the edges e: j → i) · value[j, h].

    j runs over all nodes of the graph of i (Vaswani et al. 2017; the bias as in Ying et al. 2021). query_key_value:
    [N, 3, H, C]; bias: [E, H]; out: [N, H, C].
    """
    if not has_kernel(query_key_value):
        return graph_attention_reference(query_key_value, bias, graph)
    return differentiable(_GraphAttention, query_key_value, bias, graph)


def graph_attention_reference(query_key_value: Tensor, bias: Tensor, graph: GraphBatch) -> Tensor:
    """`graph_attention` in plain torch, over a list of all pairs of nodes that share a graph."""
    query, key, value = query_key_value.unbind(1)
    pairs = Segments.from_lengths(graph.node_segments.lengths[graph.node_graph])  # of each node
    begin = graph.node_ptr[:-1][graph.node_graph]
    other = pairs.position + begin[pairs.index]
    source, destination = graph.edge_index
    scores = (query[pairs.index] * key[other]).sum(-1) / math.sqrt(query.shape[2])
    scores = scores.index_add(0, pairs.ptr[:-1][destination] + source - begin[destination], bias)
    attention = segment_log_softmax(scores, pairs).exp()
    return segment_sum(attention[:, :, None] * value[other], pairs)


class _GraphAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query_key_value: Tensor, bias: Tensor, graph: GraphBatch) -> Tensor:
        ctx.graph = graph
        nodes, _, heads, channels = query_key_value.shape
        out = query_key_value.new_empty(nodes, heads, channels)
        _forward(*csr(graph), *arrays(graph.node_ptr, query_key_value, bias, out))
        ctx.save_for_backward(query_key_value, bias, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        query_key_value, bias, out = ctx.saved_tensors
        grads = [one.new_empty(*one.shape) for one in (query_key_value, bias)]
        _backward(*csr(ctx.graph), *arrays(ctx.graph.node_ptr, query_key_value, bias, out, grad, *grads))
        return *grads, None


@jit
def _head(rows, part, begin, end, h, scale):  # type: ignore[no-untyped-def]
    """scale · rows[begin : end, part, h], filled up with zeros to multiples of 16 rows and four columns."""
    size, channels = end - begin, rows.shape[3]
    head = np.zeros(((size + 15) // 16 * 16, (channels + 3) // 4 * 4), np.float32)
    for k in range(size):
        for f in range(channels):
            head[k, f] = scale * rows[begin + k, part, h, f]
    return head


@jit
def _transpose(head):  # type: ignore[no-untyped-def]
    turned = np.empty((head.shape[1], head.shape[0]), np.float32)
    for f in range(head.shape[1]):
        for k in range(head.shape[0]):
            turned[f, k] = head[k, f]
    return turned


@jit
def _attention(ptr, sources, begin, end, first, h, query, key_t, bias, attention, bits):  # type: ignore[no-untyped-def]
    """attention[t] ← softmax of the scores of node begin + first + t; 0 past the end of the graph."""
    attention[:] = 0
    add_product(attention, query, first, key_t)
    for t in range(4):
        i = begin + first + t
        if i >= end:
            attention[t] = 0
            continue
        for e in range(ptr[i], ptr[i + 1]):
            attention[t, sources[e] - begin] += bias[e, h]
        row = attention[t]
        row[end - begin :] = -np.inf
        largest = np.float32(-np.inf)
        for k in range(row.size):
            largest = max(largest, row[k])
        for k in range(row.size):
            row[k] -= largest
        exp_in_place(row, bits)
        total = np.float32(0)
        for k in range(row.size):
            total += row[k]
        share = np.float32(1) / total
        for k in range(row.size):
            row[k] *= share


@jit
def _forward(ptr, sources, node_ptr, query_key_value, bias, out):  # type: ignore[no-untyped-def]
    heads, channels = out.shape[1], out.shape[2]
    scale, one = np.float32(1 / math.sqrt(channels)), np.float32(1)
    few, few_bits = np.empty(FEW, np.float32), np.empty(FEW, np.int32)
    for g in range(node_ptr.size - 1):
        begin, end = node_ptr[g], node_ptr[g + 1]
        for h in range(heads):
            if end - begin <= FEW:
                attend(ptr, sources, begin, end, h, scale, query_key_value, bias, few, few_bits, out)
                continue
            query = _head(query_key_value, 0, begin, end, h, scale)
            key = _head(query_key_value, 1, begin, end, h, one)
            key_t = _transpose(key)
            value = _head(query_key_value, 2, begin, end, h, one)
            attention, bits = np.empty((4, len(key)), np.float32), np.empty(len(key), np.int32)
            mean = np.empty((4, value.shape[1]), np.float32)
            for first in range(0, end - begin, 4):
                _attention(ptr, sources, begin, end, first, h, query, key_t, bias, attention, bits)
                mean[:] = 0
                add_product(mean, attention, 0, value)
                for t in range(min(4, end - begin - first)):
                    i = begin + first + t
                    for f in range(channels):
                        out[i, h, f] = mean[t, f]


@jit
def _backward(ptr, sources, node_ptr, query_key_value, bias, out, grad, grad_query_key_value, grad_bias):  # type: ignore[no-untyped-def]
    heads, channels = out.shape[1], out.shape[2]
    scale, one = np.float32(1 / math.sqrt(channels)), np.float32(1)
    few, few_bits = np.empty(FEW, np.float32), np.empty(FEW, np.int32)
    for g in range(node_ptr.size - 1):
        begin, end = node_ptr[g], node_ptr[g + 1]
        for h in range(heads):
            if end - begin <= FEW:
                attend_backward(
                    ptr, sources, begin, end, h, scale, query_key_value, bias, few, few_bits,
                    out, grad, grad_query_key_value, grad_bias,
                )  # fmt: skip
                continue
            query = _head(query_key_value, 0, begin, end, h, scale)
            key = _head(query_key_value, 1, begin, end, h, one)
            key_t = _transpose(key)
            value_t = _transpose(_head(query_key_value, 2, begin, end, h, one))
            grad_out = _head(grad.reshape(-1, 1, heads, channels), 0, begin, end, h, one)
            grad_key, grad_value = np.zeros_like(key), np.zeros_like(key)
            attention, change = np.empty((4, len(key)), np.float32), np.empty((4, len(key)), np.float32)
            bits, grad_query = np.empty(len(key), np.int32), np.empty((4, key.shape[1]), np.float32)
            for first in range(0, end - begin, 4):
                _attention(ptr, sources, begin, end, first, h, query, key_t, bias, attention, bits)
                change[:] = 0
                add_product(change, grad_out, first, value_t)
                for t in range(min(4, end - begin - first)):
                    i = begin + first + t
                    mean = np.float32(0)  # of the change, weighed with the attention
                    for f in range(channels):
                        mean += grad[i, h, f] * out[i, h, f]
                    for k in range(change.shape[1]):
                        change[t, k] = attention[t, k] * (change[t, k] - mean)
                    for e in range(ptr[i], ptr[i + 1]):
                        grad_bias[e, h] = change[t, sources[e] - begin]
                for t in range(end - begin - first, 4):
                    change[t] = 0
                add_outer_product(grad_value, attention, 0, grad_out[first : first + 4])
                add_outer_product(grad_key, change, 0, query[first : first + 4])
                grad_query[:] = 0
                add_product(grad_query, change, 0, key)
                for t in range(min(4, end - begin - first)):
                    i = begin + first + t
                    for f in range(channels):
                        grad_query_key_value[i, 0, h, f] = scale * grad_query[t, f]
            for k in range(end - begin):
                for f in range(channels):
                    grad_query_key_value[begin + k, 1, h, f] = grad_key[k, f]
                    grad_query_key_value[begin + k, 2, h, f] = grad_value[k, f]
