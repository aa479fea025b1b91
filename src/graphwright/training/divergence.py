"""Divergence: losses and gradients that are no longer finite."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from typing_extensions import override


class DivergenceError(ValueError):
    """A loss or a gradient is no longer finite. The last checkpoint is as it was."""

    def __init__(self, directory: Path, options: str, iteration: int) -> None:
        super().__init__(directory, options, iteration)  # as a process that trained hands it to the one that waits
        self.directory, self.options, self.iteration = directory, options, iteration

    @override
    def __str__(self) -> str:
        return (
            f"{self.directory}: training diverged at update {self.iteration}; train anew, in another directory, with a "
            f"lower --{self.options}.learning-rate (what was learned until the last checkpoint can be used)"
        )


def has_diverged(metrics: Mapping[str, float]) -> bool:
    """Whether a loss or the norm of a gradient among `metrics` is not finite."""
    return any(
        not math.isfinite(value)
        for name, value in metrics.items()
        if name == "loss" or name.endswith(("_loss", "grad_norm"))
    )
