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


def group_advantage(returns: Tensor) -> Tensor:
    """How much better each of K episodes is than the others of its instance, [I, K] → [I, K].

    A = (R − mean_k R) / (std_k R + 0.01 |mean_k R|)

    The mean of all K as baseline is that of POMO (Kwon et al. 2020, eq. 4); dividing by the spread within the instance
    (GRPO, Shao et al. 2024, eq. 3) lets instances count alike, and the last term keeps differences small where all
    episodes are nearly as good.
    """
    exact = returns.double()  # in which the mean of equal numbers is that number
    mean = exact.mean(dim=1, keepdim=True)
    spread = (exact - mean).square().mean(dim=1, keepdim=True).sqrt()
    return ((exact - mean) / (spread + 0.01 * mean.abs() + 1e-8)).to(returns.dtype)


def n_step_return(reward: Tensor, next_value: Tensor, done: Tensor, *, discount: float) -> Tensor:
    """Returns up to the end of the episode or of the table, and the critic's word from there, [T, B].

    G_t = r_t + γ V(s'_t) where done_t or t = T,   G_t = r_t + γ G_{t+1} elsewhere

    (Mnih et al. 2016, algorithm S3, line 12). Arguments: as for `generalized_advantage`, [T, B].
    """
    returns = torch.empty_like(reward)
    following = next_value[-1]
    for step in reversed(range(reward.shape[0])):
        following = reward[step] + discount * torch.where(done[step], next_value[step], following)
        returns[step] = following
    return returns
