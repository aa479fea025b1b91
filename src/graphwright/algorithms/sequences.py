"""Learning from what is remembered: minibatches of whole sequences, whose gradients flow from step to step."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core.segment import Segments
from graphwright.core.sequence import Sequence
from graphwright.data.chains import decision_chain
from graphwright.data.rollout import Rollout
from graphwright.nn import GraphPolicy


def pieces_of(rollout: Rollout, policy: GraphPolicy, size: int, generator: torch.Generator) -> list[Tensor]:
    """Rows of the states that were acted in, about `size` a piece, each in one of them, in random order.

    Where `policy` remembers, a piece is all T steps of some of the B episodes side by side, step by step.
    """
    num_steps, num_envs = rollout.reward.shape if policy.remembers else (1, rollout.num_steps)
    device = rollout.reward.device
    order = torch.randperm(num_envs, generator=generator, device=device)
    steps = torch.arange(num_steps, device=device)[:, None] * num_envs
    return [(steps + some).flatten() for some in order.split(max(1, size // num_steps))]


def sequence_of(rollout: Rollout, policy: GraphPolicy, rows: Tensor, states: Segments) -> Sequence | None:
    """How the decisions in the states at `rows`, one of `pieces_of` it, go on; None where `policy` remembers nothing.

    An agent goes on along `successor`, until it is gone, its episode is over, or no more steps were collected.
    states: as in `decision_chain`.
    """
    if not policy.remembers:
        return None
    chosen, groups = rollout.action.decisions(rows)
    assert groups is not None
    place = torch.full((rollout.log_prob.numel(),), -1, device=rows.device)
    place[chosen] = torch.arange(chosen.numel(), device=rows.device)
    carried = decision_chain(rollout, states).carry_row[chosen]
    following = torch.where(carried >= 0, place[carried.clamp(min=0)], -1) if place.numel() else carried
    return Sequence.of(following, groups.lengths.view(rollout.reward.shape[0], -1).sum(1))
