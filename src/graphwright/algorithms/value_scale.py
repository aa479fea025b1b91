"""In which units a critic speaks: those of the rewards, or standard deviations of its targets."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

_STEP = 0.2  # of the mean and the mean square, each update


class ValueScale(nn.Module):
    """The units of the rewards: what the critic says is the value."""

    def values(self, said: Tensor) -> Tensor:
        """What a critic has `said`, in the units of the rewards."""
        return said

    def targets(self, target: Tensor) -> Tensor:
        """What it is to say: `target` in its own units. Called once with all targets of an update."""
        return target


class RunningScale(ValueScale):
    """Units in which the targets of lately have mean 0 and standard deviation 1.

    van Hasselt et al. 2016, "Learning values across many orders of magnitude", without the preservation of outputs:
    statistics change slowly, and targets are computed anew with each update. A loss of values that are in the thousands
    would leave nothing of a clipped gradient to the actor, which has the same encoder.

    mean, square: [] float64, of the targets. begun: [] bool.
    """

    mean: Tensor
    square: Tensor
    begun: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros((), dtype=torch.float64))
        self.register_buffer("square", torch.ones((), dtype=torch.float64))
        self.register_buffer("begun", torch.zeros((), dtype=torch.bool))

    @override
    def values(self, said: Tensor) -> Tensor:
        return said * self._spread().to(said.dtype) + self.mean.to(said.dtype)

    @override
    def targets(self, target: Tensor) -> Tensor:
        exact = target.double()
        step = _STEP if self.begun else 1.0
        self.mean += step * (exact.mean() - self.mean)
        self.square += step * (exact.square().mean() - self.square)
        self.begun.fill_(True)
        return ((exact - self.mean) / self._spread()).to(target.dtype)

    def _spread(self) -> Tensor:
        return (self.square - self.mean.square()).clamp(min=1e-12).sqrt()
