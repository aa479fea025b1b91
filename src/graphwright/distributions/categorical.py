"""One categorical distribution for each group of candidates, over that group's own candidates."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from graphwright.core.segment import (
    Segments,
    segment_argmax,
    segment_log_softmax,
    segment_sample,
    segment_sum,
)


class RaggedCategorical:
    """G independent categoricals over K candidates in all.

    logits: [K] float; segments: which candidates belong to each group; mask: [K] bool, true where a candidate may be
    chosen (all, if it is not given). An action [G] int64 is the place of a candidate inside its group.

    A group without a legal candidate (empty, or all masked) is decided already: it samples -1, whose log-probability
    is 0; its entropy and divergence are 0, and no gradient flows through it.
    """

    def __init__(self, logits: Tensor, segments: Segments, mask: Tensor | None = None) -> None:
        self.logits = logits if mask is None else logits.masked_fill(~mask, -torch.inf)
        self.segments = segments

    @cached_property
    def log_probs(self) -> Tensor:
        """[K] log-probability of each candidate, -inf where it is masked."""
        return segment_log_softmax(self.logits, self.segments)

    @property
    def probs(self) -> Tensor:
        """[K] probability of each candidate, 0 where it is masked."""
        return self.log_probs.exp()

    @property
    def mode(self) -> Tensor:
        """[G] int64: the most probable action, the first of equals."""
        return segment_argmax(self.logits, self.segments)

    def select(self, groups: Tensor) -> RaggedCategorical:
        """The distributions of `groups` [S] int64 (any order, repeats allowed)."""
        segments, rows = self.segments.select(groups)
        return RaggedCategorical(self.logits.index_select(0, rows), segments)

    def uniform(self) -> RaggedCategorical:
        """The distribution that gives all legal candidates of a group the same probability."""
        return RaggedCategorical(self.logits.detach().masked_fill(self.logits > -torch.inf, 0), self.segments)

    def tempered(self, temperature: float) -> RaggedCategorical:
        """The distribution with probabilities to the power of 1 / temperature: above 1 flatter, below 1 sharper."""
        return RaggedCategorical(self.logits / temperature, self.segments)

    def sample(self, generator: torch.Generator | None = None, uniform: Tensor | None = None) -> Tensor:
        """[G] int64: one draw a group; of groups where `uniform` [G] bool is true, any legal candidate."""
        return segment_sample(self.logits, self.segments, generator, uniform)

    def log_prob(self, action: Tensor, group: Tensor | None = None) -> Tensor:
        """[G] log-probability of `action` [G] int64; 0 where it is -1. With `group`, see `at`."""
        return self.at(action, self.log_probs, group)

    def at(self, action: Tensor, values: Tensor, group: Tensor | None = None) -> Tensor:
        """[G]: of `values` [K], one for each candidate, those of `action` [G] int64; 0 where it is -1.

        group: [R] int64, which group each of R actions is one of; by default of each group one.
        """
        decided, begin = action < 0, self.segments.ptr[:-1]
        rows = torch.where(decided, 0, action + (begin if group is None else begin[group]))
        if not values.numel():
            return values.new_zeros(action.shape)
        return torch.where(decided, 0, values.index_select(0, rows))

    @property
    def legal(self) -> Tensor:
        """[K] bool: the candidates that may be chosen."""
        return self.logits > -torch.inf

    def expectation(self, values: Tensor) -> Tensor:
        """[G]: the mean of `values` [K] under this distribution, whatever they are where a candidate is masked."""
        return segment_sum(self.probs * values.masked_fill(~self.legal, 0), self.segments)

    @property
    def entropy(self) -> Tensor:
        """[G] entropy in nats, over the legal candidates."""
        return -segment_sum(self.probs * self._finite_log_probs, self.segments)

    def kl(self, other: RaggedCategorical) -> Tensor:
        """[G] KL divergence of `other` from this distribution, in nats; both have the same legal candidates."""
        difference = self._finite_log_probs - other._finite_log_probs
        return segment_sum(self.probs * difference, self.segments)

    def mmd(self, other: RaggedCategorical) -> Tensor:
        """[G] squared maximum mean discrepancy, with a kernel of 1 for equal actions and 0 for others: Σ (p − q)²."""
        return segment_sum((self.probs - other.probs).square(), self.segments)

    @property
    def _finite_log_probs(self) -> Tensor:
        """The log-probabilities with 0 where a candidate is masked, so that 0 · log 0 = 0 with zero gradient."""
        return self.log_probs.masked_fill(self.logits == -torch.inf, 0)
