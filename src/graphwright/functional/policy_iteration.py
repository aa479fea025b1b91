"""Losses of policy iteration: pure functions of the candidates of D decisions, to be minimised."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core.segment import Segments, segment_logsumexp, segment_max, segment_sum


def advantages_over_worst(worth: Tensor, candidates: Segments) -> Tensor:
    """[K] float32: how much more each candidate is worth than the worst of its decision; 0 where it was not tried.

    worth: [K], NaN where a candidate was not tried. candidates: the K candidates of D decisions.
    """
    tried = worth.isfinite()
    least = -segment_max(torch.where(tried, -worth, -torch.inf), candidates, empty=0.0)
    return torch.where(tried, worth - least[candidates.index], 0.0)


def cost_sensitive_loss(logits: Tensor, weight: Tensor, tried: Tensor, candidates: Segments) -> Tensor:
    """−Σ w(a) log π(a | s) / Σ w over the candidates that were tried, π being what the policy prefers among these.

    Where w is a noisy word for what a candidate is worth more than the worst, the loss is least for probabilities that
    go with its mean, so that the most probable candidate is the best one; and it does not flatten where the policy is
    sure of another.

    logits, weight: [K]. tried: [K] bool. candidates: as for `advantages_over_worst`.
    """
    weighed = segment_sum(weight, candidates)
    left_out = ~tried & (weighed > 0)[candidates.index]
    total = segment_logsumexp(logits.masked_fill(left_out, -torch.inf), candidates)
    said = (weight * torch.where(tried, logits, 0.0)).sum() - (weighed * torch.where(weighed > 0, total, 0.0)).sum()
    return -said / weighed.sum().clamp(min=1e-12)
