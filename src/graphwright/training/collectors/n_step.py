"""Transitions over several steps: how far they go, where their deciders are then, and what they earn."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from graphwright.data.ring import Group


def window(row: int, done: Tensor, n_step: int) -> tuple[slice, Tensor]:
    """The steps from `row` on that a transition may span, and how many it does in each episode, [B] int64.

    done: [T, B] bool, whether an episode ends with a step.
    """
    steps = slice(row, min(row + n_step, len(done)))
    goes_on = (~done[steps]).long().cumprod(0)
    return steps, (1 + goes_on[:-1].sum(0)).clamp(max=steps.stop - row)


def ahead(decisions: Sequence[Group], length: Tensor, n_step: int) -> dict[str, Tensor]:
    """What becomes of each decider D of the first step in `length` [B] of these steps, `n_step` at most.

    successor: [D] int64, its place then, or -k, gone after k of them. reward: [D, n_step], where each has its own: what
    it earns in each, 0 where it is gone or they do not count.
    """
    first = decisions[0]
    place, graph = first.columns["successor"], first.segments.index
    own = {name: column.new_zeros(len(column), n_step) for name, column in first.columns.items() if name == "reward"}
    for name in own:
        own[name][:, 0] = first.columns[name]
    for before, group in enumerate(decisions[1:], start=1):
        going = (place >= 0) & (length[graph] > before)
        if not going.any():
            break
        rows = (group.segments.ptr[graph] + place)[going]
        for name in own:
            own[name][going, before] = group.columns[name][rows]
        following = group.columns["successor"][rows]
        place = place.masked_scatter(going, torch.where(following < 0, -(before + 1), following))
    return {"successor": place, **own}


def select_graphs(group: Group, kept: Tensor) -> Group:
    """The decisions of the graphs where `kept` [B] is true."""
    segments, rows = group.segments.select(kept.nonzero().squeeze(1))
    return Group(segments, {name: column[rows] for name, column in group.columns.items()})
