"""An MLP on pairs of rows, such as the end points of edges, whose hidden layer is never in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphwright.core.kernels.jit import arrays, differentiable, has_kernel, jit
from graphwright.nn.kernels.products import (
    add_outer_product,
    add_product,
    filled,
    turn_back,
    turned,
    unfill,
    write_inner_products,
)

WIDEST = 32
"""More columns of a pair than that go through a library's matrix product, which makes up for the memory it takes."""


def pair_scores(
    source: Tensor,
    destination: Tensor,
    ends: Tensor,
    score: Tensor,
    pair: Tensor | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    """out[p] = score @ relu(source[ends[0, p]] + destination[ends[1, p]] + weight @ pair[p]), [P, columns].

    source, destination: [N, W], the first layer of the MLP, computed once a row; ends: [2, P] int64; score:
    [columns, W]; pair: [P, D], what is known of each pair, with weight [W, D], or None for both.
    """
    if not has_kernel(source) or (pair is not None and pair.shape[1] > WIDEST):
        return pair_scores_reference(source, destination, ends, score, pair, weight)
    if pair is None or weight is None:
        pair, weight = source.new_empty(ends.shape[1], 0), source.new_empty(source.shape[1], 0)
    return differentiable(_PairScores, source, destination, score, pair, weight, ends)


def pair_scores_reference(
    source: Tensor,
    destination: Tensor,
    ends: Tensor,
    score: Tensor,
    pair: Tensor | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    """`pair_scores` in plain torch."""
    hidden = source.index_select(0, ends[0]) + destination.index_select(0, ends[1])
    if pair is not None and weight is not None:
        hidden = torch.addmm(hidden, pair, weight.t())
    return hidden.relu_() @ score.t()


class _PairScores(torch.autograd.Function):
    """The backward walk computes the hidden layer again, four pairs at a time."""

    @staticmethod
    def forward(
        ctx: Any, source: Tensor, destination: Tensor, score: Tensor, pair: Tensor, weight: Tensor, ends: Tensor
    ) -> Tensor:
        out = source.new_empty(ends.shape[1], score.shape[0])
        _forward(*arrays(ends, source, destination, score, pair, weight, out))
        ctx.save_for_backward(source, destination, score, pair, weight, ends)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        *saved, ends = ctx.saved_tensors
        source, destination, score, pair, weight = saved
        grads = *(one.new_zeros(*one.shape) for one in (source, destination, score)), weight.new_empty(*weight.shape)
        grad_pair = pair.new_empty(*pair.shape) if ctx.needs_input_grad[3] else pair[:0]
        _backward(*arrays(ends, *saved, torch.constant_pad_nd(grad, (0, 0, 0, 3)), *grads, grad_pair))
        return *grads[:3], grad_pair if ctx.needs_input_grad[3] else None, grads[3], None


@jit
def _hidden(sources, destinations, source, destination, pair, weight, first, hidden):  # type: ignore[no-untyped-def]
    """hidden[t] ← the sum in front of the relu, of pair first + t; past the end, of the last pair."""
    for t in range(hidden.shape[0]):
        p = min(first + t, sources.size - 1)
        i, j = sources[p], destinations[p]
        for f in range(hidden.shape[1]):
            hidden[t, f] = source[i, f] + destination[j, f]
    add_product(hidden, pair, first, weight)


@jit
def _forward(ends, source, destination, score, pair, weight, out):  # type: ignore[no-untyped-def]
    sources, destinations, pair, weight = ends[0], ends[1], filled(pair), turned(weight)
    hidden = np.empty((4, source.shape[1]), np.float32)
    for first in range(0, sources.size, 4):
        _hidden(sources, destinations, source, destination, pair, weight, first, hidden)
        for t in range(min(4, sources.size - first)):
            for c in range(score.shape[0]):
                total = np.float32(0)
                for f in range(hidden.shape[1]):
                    total += score[c, f] * max(hidden[t, f], np.float32(0))
                out[first + t, c] = total


@jit
def _score_backward(score, grad, first, hidden, grad_score, grad_hidden):  # type: ignore[no-untyped-def]
    """grad_score += Σ_t grad[first + t] ⊗ relu(hidden[t]); grad_hidden[t] ← grad[first + t] @ score, where hidden > 0.

    Four rows in one loop: loops over one row are so short that their beginning takes longer than they do.
    """
    for f in range(hidden.shape[1]):
        grad_hidden[0, f] = grad_hidden[1, f] = grad_hidden[2, f] = grad_hidden[3, f] = 0
    for c in range(score.shape[0]):
        p, q, s, t = grad[first, c], grad[first + 1, c], grad[first + 2, c], grad[first + 3, c]
        for f in range(hidden.shape[1]):
            h0, h1, h2, h3, weight = hidden[0, f], hidden[1, f], hidden[2, f], hidden[3, f], score[c, f]
            zero = np.float32(0)
            grad_score[c, f] += p * max(h0, zero) + q * max(h1, zero) + s * max(h2, zero) + t * max(h3, zero)
            grad_hidden[0, f] += p * weight if h0 > 0 else zero
            grad_hidden[1, f] += q * weight if h1 > 0 else zero
            grad_hidden[2, f] += s * weight if h2 > 0 else zero
            grad_hidden[3, f] += t * weight if h3 > 0 else zero


@jit
def _backward(  # type: ignore[no-untyped-def]
    ends, source, destination, score, pair, weight,
    grad, grad_source, grad_destination, grad_score, grad_weight, grad_pair,
):  # fmt: skip
    """`grad` has three rows of zeros more than there are pairs, for the last block."""
    sources, destinations, pair, weight = ends[0], ends[1], filled(pair), turned(weight)
    grad_turned, grad_filled = np.zeros_like(weight), np.empty((grad_pair.shape[0], pair.shape[1]), np.float32)
    hidden, grad_hidden = np.empty((4, source.shape[1]), np.float32), np.empty((4, source.shape[1]), np.float32)
    for first in range(0, sources.size, 4):
        _hidden(sources, destinations, source, destination, pair, weight, first, hidden)
        _score_backward(score, grad, first, hidden, grad_score, grad_hidden)
        for t in range(4):
            p = min(first + t, sources.size - 1)
            i, j = sources[p], destinations[p]
            for f in range(hidden.shape[1]):
                grad_source[i, f] += grad_hidden[t, f]
                grad_destination[j, f] += grad_hidden[t, f]
        add_outer_product(grad_turned, pair, first, grad_hidden)
        if grad_pair.shape[0]:
            write_inner_products(grad_filled, first, grad_hidden, weight)
    turn_back(grad_turned, grad_weight)
    unfill(grad_filled, grad_pair)
