"""Turns: a rollout of a game, seen from each side's own turns."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from graphwright.data.rollout import Rollout


def own_turns(rollout: Rollout, player: Tensor) -> Rollout:
    """`rollout`, in which a step leads from a turn of a side to the next turn of the same side.

    player: [R] int64, the side (0 or 1) that moves in each of the states. What one side earns the other loses, so a
    step's reward is what its side earned with its move, less what the other earned until the side moved again; the
    episode ended for it with either. Where nothing more was collected before its next turn, the state after is one in
    which the other side moves, whose value counts with the sign -1 (`next_sign`). Values and advantages of what comes
    of it are those of the side that moves.
    """
    num_steps, num_envs = rollout.reward.shape
    rows = torch.arange(num_envs, device=player.device)
    sides = torch.arange(2, device=player.device)
    signs = 1 - 2 * (player[:, None] != sides).float()  # [R, 2]: of a value in that state, for each side
    ahead = _Ahead.at(num_steps * num_envs + rows, signs)
    found = []
    for step in reversed(range(num_steps)):
        here = step * num_envs + rows
        earned, reached = rollout.reward[step][:, None] * signs[here], rollout.next_row[step].long()
        terminated, truncated = rollout.terminated[step], rollout.truncated[step]
        goes_on = ~(terminated | truncated)[:, None]
        after = _Ahead(
            reward=earned + ahead.reward * goes_on,
            terminated=torch.where(goes_on, ahead.terminated, terminated[:, None]),
            truncated=torch.where(goes_on, ahead.truncated, truncated[:, None]),
            row=torch.where(goes_on, ahead.row, reached[:, None]),
            sign=torch.where(goes_on, ahead.sign, signs[reached]),
        )
        side = player[here][:, None]
        found.append(after.of(side))
        ahead = after.where(side != sides, _Ahead.at(here, signs))
    turns = [torch.stack(column[::-1]) for column in zip(*found, strict=True)]
    reward, over, cut, row, sign = turns
    return replace(rollout, reward=reward, terminated=over, truncated=cut, next_row=row.to(torch.int32), next_sign=sign)


class _Ahead:
    """What lies between a moment and the next turn of each side, [B, 2] each; the columns are those of `Rollout`."""

    def __init__(self, reward: Tensor, terminated: Tensor, truncated: Tensor, row: Tensor, sign: Tensor) -> None:
        self.reward, self.terminated, self.truncated, self.row, self.sign = reward, terminated, truncated, row, sign

    @staticmethod
    def at(rows: Tensor, signs: Tensor) -> _Ahead:
        """Nothing: the moment is that of the states at `rows` [B]."""
        sign = signs[rows]
        nothing = torch.zeros_like(sign)
        return _Ahead(nothing, nothing.bool(), nothing.bool(), rows[:, None].expand_as(sign), sign)

    def columns(self) -> tuple[Tensor, ...]:
        """All of it."""
        return self.reward, self.terminated, self.truncated, self.row, self.sign

    def of(self, side: Tensor) -> tuple[Tensor, ...]:
        """Each column [B] for the `side` [B, 1]."""
        return tuple(column.gather(1, side).squeeze(1) for column in self.columns())

    def where(self, mask: Tensor, other: _Ahead) -> _Ahead:
        """This where `mask` [B, 2] is true, `other` elsewhere."""
        pairs = zip(self.columns(), other.columns(), strict=True)
        return _Ahead(*(torch.where(mask, one, another) for one, another in pairs))
