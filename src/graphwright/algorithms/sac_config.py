"""What soft actor-critics share: settings, and the temperature."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from typing_extensions import override

from graphwright.algorithms.optimizer import require_each
from graphwright.algorithms.twin import TwinConfig


@dataclass(frozen=True)
class SACConfig(TwinConfig):
    """Settings of SAC."""

    options: ClassVar[str] = "sac"

    temperature: float = 0.1
    """α at the beginning; it is learned."""
    entropy: float = 0.2
    """What the entropy of each decision is led to, as a share of log(number of its legal candidates)."""
    entropy_per_number: float = -1.0
    """Of real-valued actions: the same, for each of the numbers of a decision, in nats; log 2 is the most."""

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        require_each(self, self.options, ("temperature",), 1e-9)
        require_each(self, self.options, ("entropy",), 0, 1)
        if self.entropy_per_number > math.log(2):
            said = f"--{self.options}.entropy-per-number {self.entropy_per_number:g}"
            raise ValueError(f"{said}: numbers from -1 to 1 have at most log 2; give at most {math.log(2):.3f}")


class Temperature(nn.Module):
    """α, by its logarithm."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.log = nn.Parameter(torch.tensor(math.log(start)))
