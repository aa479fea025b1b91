"""Returns and advantages of trajectories laid out as [T, B]: T steps of B environments side by side."""

from __future__ import annotations

import torch
from torch import Tensor


def generalized_advantage(
    reward: Tensor,
    value: Tensor,
    next_value: Tensor,
    done: Tensor,
    *,
    discount: float,
    gae_lambda: float,
) -> Tensor:
    """Generalised advantage estimation (Schulman et al. 2016, eq. 16), [T, B].

    δ_t = r_t + γ V(s'_t) − V(s_t),   A_t = δ_t + γ λ (1 − done_t) A_{t+1}

    reward, value: [T, B] of the states that were acted in. next_value: [T, B] of the states that the actions led to,
    before any reset: 0 where the episode terminated, the value of the final state where it was truncated.
    done: [T, B] bool, terminated or truncated; the sum does not cross into the next episode.
    """
    delta = reward + discount * next_value - value
    carry = discount * gae_lambda * (~done).to(delta.dtype)
    advantage = torch.empty_like(delta)
    following = torch.zeros_like(delta[0])
    for step in reversed(range(delta.shape[0])):
        following = delta[step] + carry[step] * following
        advantage[step] = following
    return advantage


def advantage_over_mean(returns: Tensor) -> Tensor:
    """Advantage of each of K episodes over the mean of all K episodes of its instance, [I, K] → [I, K].

    The shared baseline of POMO (Kwon et al. 2020, eq. 4): exact up to the factor (K − 1) / K of leave-one-out.
    """
    return returns - returns.mean(dim=1, keepdim=True)
