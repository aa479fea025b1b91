"""`Target`: a network that follows another one, for bootstrapping."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from graphwright.algorithms.value_scale import ValueScale


class Target(nn.Module):
    """A copy of `network` that after every `period` calls of `follow` moves a part `rate` of the way to it.

    scale: in which units it speaks, which follow likewise.

    rate 0.005 and period 1: Lillicrap et al. 2016, "Continuous control with deep reinforcement learning"; rate 1 and a
    period of hundreds: Mnih et al. 2015, "Human-level control through deep reinforcement learning".
    """

    calls: Tensor

    def __init__(self, network: nn.Module, rate: float, period: int, scale: ValueScale | None = None) -> None:
        super().__init__()
        self.scale = (scale or ValueScale()).followed()
        self.network: Any = copy.deepcopy(network).requires_grad_(False)
        self.rate = rate
        self.period = period
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def follow(self, network: nn.Module, scale: ValueScale | None = None) -> None:
        """Called after each gradient step of `network`; scale: the one that its own was made of."""
        self.calls += 1
        if int(self.calls) % self.period:
            return
        if scale is not None:
            self.scale.follow(scale, self.rate)
        torch._foreach_lerp_(list(self.network.parameters()), list(network.parameters()), self.rate)
