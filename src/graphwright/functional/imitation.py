"""Losses of imitation: pure functions of the candidates of D decisions, to be minimised."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core.segment import Segments, segment_logsumexp, segment_sum


def expert_set_loss(log_probs: Tensor, expert: Tensor, candidates: Segments) -> Tensor:
    """−mean log Σ_{a ∈ A*} π(a | s) over the decisions whose set A* of expert actions is not empty, a scalar.

    Where several actions are right the policy is free to prefer any of them; with one it is the cross-entropy of
    behavioural cloning. 0 where no state has an expert action. Where some are more right than others, each counts as
    far as it is: −mean log Σ_a m(a) π(a | s).

    log_probs: [K] of each candidate, -inf where it is illegal. expert: [K] bool, A*, of legal candidates; or [K] float,
    m, from 0 to 1. candidates: the K candidates of D decisions.
    """
    advised = segment_sum(expert, candidates) > 0
    mass = segment_logsumexp(log_probs + expert.log(), candidates)
    return -torch.where(advised, mass, 0).sum() / advised.sum().clamp(min=1)


def soft_target_loss(log_probs: Tensor, target: Tensor, candidates: Segments) -> Tensor:
    """−mean Σ_a p(a) log π(a | s) over the decisions in which something is wanted, a scalar.

    log_probs, candidates: as for `expert_set_loss`. target: [K] float, p, 0 where a candidate is illegal.
    """
    wanted = segment_sum(target, candidates) > 0
    cross = segment_sum(target * log_probs.masked_fill(target == 0, 0), candidates)
    return -cross.sum() / wanted.sum().clamp(min=1)


def action_loss(log_prob: Tensor, decided: Tensor) -> Tensor:
    """−mean log π(a | s) over the decisions in which something was `decided` [D] bool, a scalar; log_prob: [D]."""
    return -(log_prob * decided).sum() / decided.sum().clamp(min=1)


def agreement(log_probs: Tensor, expert: Tensor, candidates: Segments) -> Tensor:
    """Mean probability that the policy takes an expert action, over the decisions that have one, a scalar.

    Where some are more right than others, the mean of how right what it takes is.
    """
    advised = segment_sum(expert, candidates) > 0
    return segment_sum(log_probs.exp() * expert, candidates).sum() / advised.sum().clamp(min=1)
