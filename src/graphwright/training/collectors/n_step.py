"""Transitions over several steps: how far they go, and where their deciders are then."""

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


def reached(decisions: Sequence[Group], length: Tensor) -> Tensor:
    """[D]: the place of each decider of the first step after `length` [B] of these steps; -k, gone after k of them."""
    first = decisions[0]
    place, graph = first.columns["successor"], first.segments.index
    for before, group in enumerate(decisions[1:], start=1):
        going = (place >= 0) & (length[graph] > before)
        if not going.any():
            break
        following = group.columns["successor"][(group.segments.ptr[graph] + place)[going]]
        place = place.masked_scatter(going, torch.where(following < 0, -(before + 1), following))
    return place


def select_graphs(group: Group, kept: Tensor) -> Group:
    """The decisions of the graphs where `kept` [B] is true."""
    segments, rows = group.segments.select(kept.nonzero().squeeze(1))
    return Group(segments, {name: column[rows] for name, column in group.columns.items()})
