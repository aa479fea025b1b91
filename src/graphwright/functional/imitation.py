"""Losses of imitation: pure functions of the candidates of M states, to be minimised."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core.segment import Segments, segment_logsumexp, segment_sum


def expert_set_loss(log_probs: Tensor, expert: Tensor, candidates: Segments) -> Tensor:
    """−mean log Σ_{a ∈ A*} π(a | s) over the states whose set A* of expert actions is not empty, a scalar.

    Where several actions are right the policy is free to prefer any of them; with one it is the cross-entropy of
    behavioural cloning. 0 where no state has an expert action.

    log_probs: [K] of each candidate, -inf where it is illegal. expert: [K] bool, A*, of legal candidates. candidates:
    the K candidates of M states.
    """
    advised = segment_sum(expert, candidates) > 0
    mass = segment_logsumexp(log_probs.masked_fill(~expert, -torch.inf), candidates)
    return -torch.where(advised, mass, 0).sum() / advised.sum().clamp(min=1)


def agreement(log_probs: Tensor, expert: Tensor, candidates: Segments) -> Tensor:
    """Mean probability that the policy takes an expert action, over the states that have one, a scalar."""
    advised = segment_sum(expert, candidates) > 0
    return segment_sum(log_probs.exp() * expert, candidates).sum() / advised.sum().clamp(min=1)
