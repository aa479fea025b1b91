"""Trajectories that are said to have aimed where they arrived."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from graphwright.data.states import WholeStates
from graphwright.data.trajectories import Trajectories
from graphwright.training.gflownet.conditions import refocus


def in_hindsight(
    trajectories: Trajectories, measures: Tensor, share: float, generator: torch.Generator
) -> Trajectories:
    """`trajectories` [M], a `share` of which are said to have aimed at what their objects measure, [M, K]."""
    chosen = torch.rand(len(measures), generator=generator) < share
    aimed = (chosen & (measures.norm(dim=1) > 0)).nonzero().squeeze(1)
    direction = measures / measures.norm(dim=1, keepdim=True).clamp(min=1e-12)
    owners, rows = trajectories.segments.select(aimed)
    states = refocus(trajectories.states, rows, direction[aimed][owners.index], measures.shape[1])
    return replace(trajectories, table=WholeStates(states))
