"""In which units a critic speaks: those of the rewards, or standard deviations of its targets."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

EACH_UPDATE, EACH_MINIBATCH = 0.2, 0.05
"""Steps of running statistics, for targets that come once an update and for those of every gradient step."""


class ValueScale(nn.Module):
    """The units of the rewards: what the critic says is the value."""

    @property
    def origin(self) -> Tensor | float:
        """What it means when the critic says 0."""
        return 0.0

    @property
    def unit(self) -> Tensor | float:
        """How much more it is when the critic says 1."""
        return 1.0

    def differences(self, said: Tensor) -> Tensor:
        """What a critic has `said`, in units of the rewards above `origin`."""
        return said * self.unit

    def values(self, said: Tensor) -> Tensor:
        """What a critic has `said`, in the units of the rewards."""
        return self.differences(said) + self.origin

    def targets(self, target: Tensor) -> Tensor:
        """What it is to say: `target` in its own units. Called once with all targets of an update."""
        return target

    def followed(self) -> ValueScale:
        """The units of a target network, which come after these (`follow`)."""
        return ValueScale()

    def follow(self, scale: ValueScale, rate: float) -> None:
        """Move a part `rate` of the way to those of `scale`, as the weights of a target network do."""


class RunningScale(ValueScale):
    """Units in which the targets of lately have mean 0 and standard deviation 1.

    van Hasselt et al. 2016, "Learning values across many orders of magnitude", without the preservation of outputs:
    statistics change slowly, and targets are computed anew with each update. A loss of values that are in the thousands
    would leave nothing of a clipped gradient to what else has the same encoder, and values of -20 that differ by 0.1
    take long to be told apart.

    step: of the mean and the mean square, each update. mean, square: [] float64, of the targets. begun: [] bool.
    """

    mean: Tensor
    square: Tensor
    begun: Tensor

    def __init__(self, step: float) -> None:
        super().__init__()
        self.step = step
        self.register_buffer("mean", torch.zeros((), dtype=torch.float64))
        self.register_buffer("square", torch.zeros((), dtype=torch.float64))  # what nobody taught yet says 0
        self.register_buffer("begun", torch.zeros((), dtype=torch.bool))

    @property
    @override
    def origin(self) -> Tensor:
        return self.mean.float()

    @property
    @override
    def unit(self) -> Tensor:
        return self._spread().float()

    @override
    def targets(self, target: Tensor) -> Tensor:
        exact = target.double()
        step = self.step if self.begun else 1.0
        self.mean += step * (exact.mean() - self.mean)
        self.square += step * (exact.square().mean() - self.square)
        self.begun.fill_(True)
        return ((exact - self.mean) / self._spread()).to(target.dtype)

    @override
    def followed(self) -> ValueScale:
        return FollowingScale().to(self.mean.device)

    def _spread(self) -> Tensor:
        return (self.square - self.mean.square()).clamp(min=1e-12).sqrt()


class FollowingScale(ValueScale):
    """Units that follow those of a `RunningScale`, for what bootstraps on itself.

    Were a slow network read in units that are quick, values would stand on the mean of values, minibatch by minibatch,
    and of long undiscounted episodes grow without end. They begin with 0, so that what a fresh network says counts as
    little as it has learned: taken at its word it would be the spread of the first targets, and those its next ones.

    its_origin, its_unit: [] float32.
    """

    its_origin: Tensor
    its_unit: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("its_origin", torch.zeros(()))
        self.register_buffer("its_unit", torch.zeros(()))

    @property
    @override
    def origin(self) -> Tensor:
        return self.its_origin

    @property
    @override
    def unit(self) -> Tensor:
        return self.its_unit

    @override
    def follow(self, scale: ValueScale, rate: float) -> None:
        self.its_origin += rate * (scale.origin - self.its_origin)
        self.its_unit += rate * (scale.unit - self.its_unit)


REWARD_UNITS = {
    "scale.mean": torch.tensor(0.0, dtype=torch.float64),
    "scale.square": torch.tensor(1.0, dtype=torch.float64),
    "scale.begun": torch.tensor(True),
    "target.scale.its_origin": torch.tensor(0.0),
    "target.scale.its_unit": torch.tensor(1.0),
}
"""What running units begin with where a critic has learned values as they are (`Algorithm.take_units`)."""


def value_scale(normalized: bool, step: float) -> ValueScale:
    """The units of the rewards, or, `normalized`, running ones; `step` is that of `RunningScale`."""
    return RunningScale(step) if normalized else ValueScale()
