"""Intervals for what is measured on a sample of instances."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from torch import Tensor


class Ratio(NamedTuple):
    """A ratio of means with its 95 % interval."""

    mean: float
    low: float
    high: float


def bootstrap_ratio(numerator: Tensor, denominator: Tensor, *, resamples: int = 2000, seed: int = 0) -> Ratio:
    """Mean of `numerator` [B] over mean of `denominator` [B], with the percentile bootstrap over the B pairs.

    Efron & Tibshirani 1993, section 13.3. 0 / 0 counts as 1, more / 0 as infinite.
    Deterministic for a seed.
    """
    above, below = numerator.double().cpu().numpy(), denominator.double().cpu().numpy()
    draws = np.random.default_rng(seed).integers(len(above), size=(resamples, len(above)))
    resampled = _divide(above[draws].sum(1), below[draws].sum(1))
    low, high = np.percentile(resampled, [2.5, 97.5], method="nearest")  # which also takes infinite ratios
    return Ratio(float(_divide(above.sum(), below.sum())), float(low), float(high))


def _divide(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((above == 0) & (below == 0), 1.0, above / below)
