"""Policy-gradient losses: pure functions of [M] tensors, to be minimised."""

from __future__ import annotations

import torch
from torch import Tensor


def clipped_surrogate_loss(log_prob: Tensor, old_log_prob: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """PPO's pessimistic surrogate (Schulman et al. 2017, eq. 7), a scalar.

    −mean min(ρ A, clip(ρ, 1 − ε, 1 + ε) A) with ρ = exp(log_prob − old_log_prob). All arguments: [M].
    """
    ratio = (log_prob - old_log_prob).exp()
    return -torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage).mean()


def score_function_loss(log_prob: Tensor, advantage: Tensor) -> Tensor:
    """−mean A log π(a | s) (Williams 1992), whose gradient is the score-function estimate. Arguments: [M]."""
    return -(advantage * log_prob).mean()


def approximate_kl(log_prob: Tensor, old_log_prob: Tensor) -> Tensor:
    """Estimate of KL(old ‖ new) from actions drawn by the old policy: mean of (ρ − 1) − log ρ, never negative.

    Schulman 2020, "Approximating KL divergence" (the estimator k3). Arguments: [M].
    """
    log_ratio = log_prob - old_log_prob
    return (log_ratio.exp() - 1 - log_ratio).mean()


def standardize(advantage: Tensor) -> Tensor:
    """Advantages [M] with mean 0 and standard deviation 1; left at 0 where they are all alike."""
    exact = advantage.double()  # in which the mean of equal numbers is that number
    centred = (exact - exact.mean()).to(advantage.dtype)
    return centred / (centred.square().mean().sqrt() + 1e-8)
