"""Divergence: losses and gradients that are no longer finite."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path


class DivergenceError(ValueError):
    """A loss or a gradient is no longer finite. The last checkpoint is as it was."""

    def __init__(self, directory: Path, options: str, iteration: int) -> None:
        super().__init__(
            f"{directory}: training diverged at update {iteration}; train anew, in another directory, with a lower "
            f"--{options}.learning-rate (what was learned until the last checkpoint can be used)"
        )


def has_diverged(metrics: Mapping[str, float]) -> bool:
    """Whether a loss or the norm of a gradient among `metrics` is not finite."""
    return any(
        not math.isfinite(value)
        for name, value in metrics.items()
        if name == "loss" or name.endswith(("_loss", "grad_norm"))
    )
