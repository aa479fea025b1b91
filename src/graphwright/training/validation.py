"""Settings of validation: on what, and how often, a run is watched."""

from __future__ import annotations

from dataclasses import dataclass

from graphwright.algorithms.optimizer import require


@dataclass(frozen=True)
class ValidationConfig:
    """The fixed instances on which a run is watched, and which choose the policy that it leaves."""

    sizes: tuple[int, ...] | None = None
    """Numbers of nodes; by default twice and five times the largest training size."""
    graphs: int = 64
    """Instances of each size."""
    every: int = 10
    """Updates between validations."""
    slots: int = 500
    """Of what never ends: for how long each instance is watched, from its beginning on."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be watched."""
        require("validation.slots", self.slots)
        require("validation.graphs", self.graphs)
        require("validation.every", self.every)


@dataclass(frozen=True)
class DistributionValidationConfig:
    """How a sampler is watched."""

    every: int = 100
    """Updates between validations."""
    objects: int = 256
    """Objects that are sampled each time."""
    max_states: int = 5000
    """Environments with at most so many states are enumerated, and the policy is compared with the target exactly."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be watched."""
        require("validation.every", self.every)
        require("validation.objects", self.objects)
