"""Values of actions, over the legal candidates of each decision."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core.segment import Segments, segment_logsumexp, segment_sum


def centred(scores: Tensor, candidates: Segments) -> Tensor:
    """[K]: `scores` [K] less their mean over the legal candidates of each decision; −∞, what is illegal, stays so.

    The advantages of Wang et al. 2016, "Dueling network architectures for deep reinforcement learning", eq. 9.
    """
    legal = scores > -torch.inf
    total = segment_sum(scores.masked_fill(~legal, 0), candidates)
    mean = total / segment_sum(legal, candidates).clamp(min=1)
    return scores - mean[candidates.index]


def munchausen_bonus(log_policy: Tensor, temperature: float, least: float) -> Tensor:
    """[D]: τ log π(a | s), cut off below at `least`. log_policy: [D], of the softmax policy of Q / τ.

    Vieillard, Pietquin, Geist 2020, "Munchausen reinforcement learning", eq. 1.
    """
    return (temperature * log_policy).clamp(least, 0)


def soft_value(values: Tensor, candidates: Segments, temperature: float) -> Tensor:
    """[D]: Σ_a π(a) (Q(a) − τ log π(a)) of π = softmax(Q / τ), which is τ logsumexp(Q / τ). 0 where nothing is legal.

    values: [K], −∞ where a candidate is illegal. The bootstrap of Munchausen-DQN, in eq. 1 there.
    """
    found = temperature * segment_logsumexp(values / temperature, candidates)
    return found.masked_fill(found == -torch.inf, 0)


def huber(error: Tensor, weight: Tensor) -> Tensor:
    """Mean of `weight` [S] times the Huber loss of `error` [S] with threshold 1, a scalar."""
    loss = torch.where(error.abs() <= 1, 0.5 * error.square(), error.abs() - 0.5)
    return (weight * loss).mean()


def discounted(reward: Tensor, discount: float) -> Tensor:
    """[S]: Σₖ γᵏ rₖ of `reward` [S, n]."""
    return reward @ discount ** torch.arange(reward.shape[1], dtype=reward.dtype, device=reward.device)
