"""Reductions over ragged groups: the one place where rows that belong together are combined.

A `Segments` says which contiguous rows form a group. Every function takes the rows' values `[M, ...]` and returns
either one row per group `[G, ...]` or one row per input row `[M, ...]`. Groups may be empty; what each function
gives for an empty group is part of its contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from graphwright.core.kernels.draws import drawn
from graphwright.core.kernels.groups import first_largest, group_index, pointer, select_groups
from graphwright.core.kernels.jit import differentiable, has_kernel
from graphwright.core.kernels.softmax import log_softmax, log_softmax_backward


@dataclass(frozen=True, eq=False)
class Segments:
    """G contiguous groups over M rows.

    ptr: [G + 1] int64, non-decreasing; group g holds the rows ptr[g] .. ptr[g + 1] - 1, ptr[0] = 0 and ptr[G] = M.
    """

    ptr: Tensor

    @staticmethod
    def from_lengths(lengths: Tensor) -> Segments:
        """The groups of the given lengths `[G]`, one after the other."""
        segments = Segments(pointer(lengths))
        segments.__dict__["lengths"] = lengths
        return segments

    @staticmethod
    def known(ptr: Tensor, index: Tensor) -> Segments:
        """The groups of `ptr` [G + 1], whose `index` [M] its caller has computed."""
        segments = Segments(ptr)
        segments.__dict__["index"], segments.__dict__["num_rows"] = index, index.shape[0]
        return segments

    @property
    def num_groups(self) -> int:
        """G."""
        return self.ptr.shape[0] - 1

    @cached_property
    def num_rows(self) -> int:
        """M."""
        return int(self.ptr[-1])

    @cached_property
    def lengths(self) -> Tensor:
        """[G] int64: how many rows each group has."""
        return self.ptr.diff()

    @cached_property
    def index(self) -> Tensor:
        """[M] int64: the group of each row."""
        return group_index(self.ptr, self.num_rows)

    @cached_property
    def position(self) -> Tensor:
        """[M] int64: the place of each row inside its group."""
        return torch.arange(self.num_rows, device=self.ptr.device) - self.ptr[:-1][self.index]

    def select(self, groups: Tensor) -> tuple[Segments, Tensor]:
        """The groups at `groups` [S] as new segments, and the rows [M'] of this one that they gather."""
        ptr, rows, index = select_groups(self.ptr, groups)
        return Segments.known(ptr, index), rows


def _expand(index: Tensor, values: Tensor) -> Tensor:
    return index.view(-1, *[1] * (values.dim() - 1)).expand_as(values)


def segment_sum(values: Tensor, segments: Segments) -> Tensor:
    """Sum of each group, [G, ...]; 0 for an empty group. Booleans are counted."""
    if values.dtype == torch.bool:
        values = values.to(torch.int64)
    out = values.new_zeros(segments.num_groups, *values.shape[1:])
    return out.index_add(0, segments.index, values)


def segment_mean(values: Tensor, segments: Segments) -> Tensor:
    """Mean of each group, [G, ...]; 0 for an empty group."""
    count = segments.lengths.clamp(min=1).to(values.dtype)
    return segment_sum(values, segments) / count.view(-1, *[1] * (values.dim() - 1))


def segment_max(values: Tensor, segments: Segments, empty: float = 0.0) -> Tensor:
    """Maximum of each group, [G, ...]; `empty` for an empty group. Ties share the gradient evenly."""
    # Not `include_self=False`: its gradient counts the initial value as one more of equals.
    out = values.new_full((segments.num_groups, *values.shape[1:]), -torch.inf)
    out = out.scatter_reduce(0, _expand(segments.index, values), values, "amax")
    return torch.where((segments.lengths == 0).view(-1, *[1] * (values.dim() - 1)), empty, out)


def segment_logsumexp(values: Tensor, segments: Segments) -> Tensor:
    """log Σ exp of each group of `values` [M], [G]; -inf for a group that is empty or holds only -inf."""
    shift = _finite_largest(values.detach(), segments)
    total = segment_sum((values - shift.index_select(0, segments.index)).exp(), segments)
    return _safe_log(total) + shift


def segment_log_softmax(values: Tensor, segments: Segments) -> Tensor:
    """Log-probabilities inside each group of `values` [M, ...], [M, ...]; -inf where the value is -inf.

    What is -inf, such as a whole group, stays so and passes no gradient.
    """
    return differentiable(_LogSoftmax, values, segments)


class _LogSoftmax(torch.autograd.Function):
    """With a gradient of its own, which is a third of the small operations that autograd would record."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, segments: Segments) -> Tensor:
        if values.dim() == 1 and has_kernel(values):
            log_probs = log_softmax(values, segments.ptr)
        else:
            log_probs = values - _finite_largest(values, segments).index_select(0, segments.index)
            total = segment_sum(log_probs.exp(), segments).clamp_(min=1)  # the largest alone gives 1
            log_probs -= total.log_().index_select(0, segments.index)
        ctx.segments = segments
        ctx.save_for_backward(log_probs)
        return log_probs

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (log_probs,) = ctx.saved_tensors
        if grad.dim() == 1 and has_kernel(grad) and not torch.is_grad_enabled():  # a second derivative is torch's
            return log_softmax_backward(grad, log_probs, ctx.segments.ptr), None
        grad = grad.masked_fill(log_probs == -torch.inf, 0)
        total = segment_sum(grad, ctx.segments).index_select(0, ctx.segments.index)
        return grad - log_probs.exp() * total, None


def segment_argmax(values: Tensor, segments: Segments) -> Tensor:
    """Place inside its group of each group's first largest value, [G] int64; -1 for an empty or all -inf group."""
    if values.dim() == 1 and has_kernel(values):
        return first_largest(values, segments.ptr)
    best = _largest(values.detach(), segments)
    rows = (values == best.index_select(0, segments.index)).nonzero().squeeze(1)  # few, mostly one for each group
    first = rows.new_full((segments.num_groups,), values.numel())
    first = first.scatter_reduce(0, segments.index.index_select(0, rows), rows, "amin")
    return torch.where(best > -torch.inf, first - segments.ptr[:-1], -1)


def segment_sample(
    logits: Tensor, segments: Segments, generator: torch.Generator | None = None, uniform: Tensor | None = None
) -> Tensor:
    """One draw a group from the softmax of its `logits` [M], as a place in the group, [G] int64; -1 as in argmax.

    By a uniform number and the cumulated probabilities where a kernel takes the logits; elsewhere the Gumbel-max trick:
    argmax of logit + Gumbel noise (Maddison et al. 2014, "A* sampling").
    uniform: [G] bool, the groups in which all that is not -inf is drawn alike often; None: no group.
    """
    if logits.ndim == 1 and has_kernel(logits):
        number = torch.rand(segments.num_groups, dtype=torch.float64, generator=generator, device=logits.device)
        return drawn(logits, segments.ptr, number, uniform)
    if uniform is not None:
        logits = logits.masked_fill(uniform.index_select(0, segments.index) & (logits > -torch.inf), 0)
    exponential = torch.empty_like(logits, requires_grad=False).exponential_(generator=generator)
    noise = exponential.clamp_(min=torch.finfo(logits.dtype).tiny).log_()
    return segment_argmax(logits.detach() - noise, segments)


def lexsort(*keys: Tensor) -> Tensor:
    """[M] int64: the rows in the order of the last of `keys` [M], equal ones in that of the one before, and so on."""
    order = torch.argsort(keys[0], stable=True)
    for key in keys[1:]:
        order = order[torch.argsort(key[order], stable=True)]
    return order


def inverse(order: Tensor) -> Tensor:
    """[M] int64: where each row stands in `order` [M], a permutation."""
    return torch.empty_like(order).index_copy(0, order, torch.arange(order.numel(), device=order.device))


def rank_in_groups(order: Tensor, group: Tensor, num_groups: int) -> Tensor:
    """[M] int64: the place of each row in its `group` [M], where `order` [M] lists the groups one after the other."""
    groups = Segments.from_lengths(torch.bincount(group, minlength=num_groups))
    return inverse(order) - groups.ptr[:-1][group]


def segment_rank(values: Tensor, segments: Segments) -> Tensor:
    """[M] int64: the place of each of `values` [M] among those of its group, the least first, of equals the first."""
    return inverse(lexsort(values, segments.index)) - segments.ptr[:-1][segments.index]


def segment_topk(values: Tensor, segments: Segments, k: int) -> Tensor:
    """Places inside each group of its k largest values in falling order, [G, k] int64; -1 where it has fewer."""
    order = lexsort(-values, segments.index)
    place = torch.arange(k, device=values.device)
    rows = segments.ptr[:-1, None] + place
    valid = place < segments.lengths[:, None]
    top = order[torch.where(valid, rows, 0)] if order.numel() else torch.zeros_like(rows)
    return torch.where(valid, top - segments.ptr[:-1, None], -1)


def _largest(values: Tensor, segments: Segments) -> Tensor:
    """The largest of each group of `values` [M] float, [G]; -inf for an empty group. Without a gradient."""
    return torch.segment_reduce(values, "max", offsets=segments.ptr, unsafe=True)


def _finite_largest(values: Tensor, segments: Segments) -> Tensor:
    """`_largest`, but finite where a group is empty or holds only -inf: what a sum of powers is shifted by."""
    return _largest(values, segments).clamp_(min=torch.finfo(values.dtype).min)


def _safe_log(total: Tensor) -> Tensor:
    """log with -inf at zero and no gradient there."""
    positive = total > 0
    return torch.where(positive, torch.where(positive, total, 1).log(), -torch.inf)
