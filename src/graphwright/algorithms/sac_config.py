"""What soft actor-critics share: settings, and the temperature."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from graphwright.algorithms.optimizer import require


@dataclass(frozen=True)
class SACConfig:
    """Settings of SAC."""

    learning_rate: float = 2e-3
    """Of all networks at the beginning; it falls linearly to zero."""
    discount: float = 1.0
    """γ; episodes are finite, and undiscounted costs are what is compared."""
    target_rate: float = 0.01
    """Part of the way that the target networks move to the others after each gradient step."""
    temperature: float = 0.1
    """α at the beginning; it is learned."""
    entropy: float = 0.2
    """What the entropy of each decision is led to, as a share of log(number of its legal candidates)."""
    entropy_per_number: float = -1.0
    """Of real-valued actions: the same, for each of the numbers of a decision, in nats; log 2 is the most."""
    max_grad_norm: float = 10.0
    """Gradients are clipped to this norm."""
    independent: bool = False
    """Whether each of several deciders has a value of its own though they share a reward, instead of one for all."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no algorithm."""
        require("sac.temperature", self.temperature, 1e-9)
        for name in ("learning_rate", "max_grad_norm"):
            require(f"sac.{name.replace('_', '-')}", getattr(self, name), 0)
        for name in ("discount", "target_rate", "entropy"):
            require(f"sac.{name.replace('_', '-')}", getattr(self, name), 0, 1)


class Temperature(nn.Module):
    """α, by its logarithm."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.log = nn.Parameter(torch.tensor(math.log(start)))
