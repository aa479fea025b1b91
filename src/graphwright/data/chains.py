"""Chains: which row of a rollout goes on where another ends, for states and for decisions."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from graphwright.core.segment import Segments
from graphwright.data.rollout import Rollout


class Chain(NamedTuple):
    """Q rows of a rollout, step by step.

    reward: [Q]. next_row: [Q] int64, the row, among those of all states, that the action led to; -1 where there is
    none: the episode terminated, or the decider is gone. carry_row: [Q] int64, the same; -1 also where nothing was done
    in that row: the episode was truncated, or no more steps were collected. steps: the rows of each step (Q → T).
    next_sign: [Q], as in `Rollout`.
    """

    reward: Tensor
    next_row: Tensor
    carry_row: Tensor
    steps: Segments
    next_sign: Tensor | None = None

    def following(self, values: Tensor) -> Tensor:
        """[Q]: of the `values` of all rows, what each action led to, for whoever acted; 0 where there is nothing."""
        found = values[self.next_row.clamp(min=0)].masked_fill(self.next_row < 0, 0)
        return found if self.next_sign is None else found * self.next_sign


def state_chain(rollout: Rollout) -> Chain:
    """A row for each of the T · B states that were acted in."""
    num_steps, num_envs = rollout.reward.shape
    next_row = rollout.next_row.long().masked_fill(rollout.terminated, -1).flatten()
    over = (rollout.terminated | rollout.truncated).flatten()
    carry_row = next_row.masked_fill(over | (next_row >= rollout.num_steps), -1)
    steps = Segments(torch.arange(num_steps + 1, device=over.device) * num_envs)
    sign = None if rollout.next_sign is None else rollout.next_sign.flatten()
    return Chain(rollout.reward.flatten(), next_row, carry_row, steps, sign)


def decision_chain(rollout: Rollout, states: Segments) -> Chain:
    """A row for each of the Q decisions, which follows its decider; states: the decisions of all R states (→ R).

    The reward is each decision's own, or its graph's where they share it.
    """
    acted = rollout.action.states
    assert acted is not None
    state = acted.index
    reward = rollout.reward.flatten()[state] if rollout.own_reward is None else rollout.own_reward
    successor = acted.position if rollout.successor is None else rollout.successor.long()
    gone = (successor < 0) | rollout.terminated.flatten()[state]
    next_row = (states.ptr[rollout.next_row.flatten().long()[state]] + successor).masked_fill(gone, -1)
    over = rollout.truncated.flatten()[state] | (next_row >= acted.num_rows)
    steps = Segments(acted.ptr[:: rollout.reward.shape[1]])
    return Chain(reward, next_row, next_row.masked_fill(over, -1), steps)
