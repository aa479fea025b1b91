"""Returns and advantages of trajectories."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from graphwright.core.segment import Segments, segment_mean


def generalized_advantage(
    reward: Tensor,
    value: Tensor,
    next_value: Tensor,
    next_row: Tensor,
    steps: Segments,
    *,
    discount: float,
    gae_lambda: float,
) -> Tensor:
    """Estimates generalised advantages (Schulman et al. 2016, eq. 16) of Q rows, each a decision at some time, [Q].

    δ_q = r_q + γ V(s'_q) − V(s_q),   A_q = δ_q + γ λ A_{next(q)}

    reward, value: [Q], in what was acted in. next_value: [Q], of what the action led to, before any reset: 0 where the
    episode terminated or the decider is gone, the value of the final state where the episode was truncated.
    next_row: [Q] int64, the row of the same decider in the next step; -1 where the sum does not go on: the episode is
    over, the decider is gone, or nothing more was collected. steps: the rows of each time (Q → T).

    With λ = 1, A + V is the return up to the end of the episode or of the table, and the critic's word from there (Mnih
    et al. 2016, algorithm S3); for other λ it is the λ-return, the target of TD(λ).

    T steps of B environments side by side are the case next_row = q + B, with the rows of each step in a group.
    """
    delta = reward + discount * next_value - value
    advantage = delta.new_zeros(delta.numel() + 1)  # the last is what -1 names
    for begin, end in reversed(list(pairwise(steps.ptr.tolist()))):
        following = advantage[next_row[begin:end]]
        advantage[begin:end] = torch.add(delta[begin:end], following, alpha=discount * gae_lambda)
    return advantage[:-1]


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


def above_group(advantage: Tensor, states: Segments | None, copies: int) -> Tensor:
    """Advantages less the mean of those that the episodes of their group have at the same time, [Q].

    Each `copies` episodes that follow each other are a group, which began alike and meets the same chance: what chance
    does to all of them says nothing of an action. Chance after a state is drawn whatever is done in it, so this shifts
    no gradient but by the factor 1 − 1 / copies (Mao et al. 2019, "Variance reduction for reinforcement learning in
    input-driven environments").

    advantage: [Q], of T · B states or of the decisions in them. states: the decisions of each state (Q → T · B); None:
    one each.
    """
    each = advantage if states is None else segment_mean(advantage, states)
    shared = each.view(-1, copies).mean(1, keepdim=True).expand(-1, copies).flatten()
    return advantage - (shared if states is None else shared[states.index])
