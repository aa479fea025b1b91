"""Intervals for what is measured on a sample of instances."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from torch import Tensor


class Interval(NamedTuple):
    """A number with its 95 % interval, whose ends are NaN where a single sample gives none."""

    value: float
    low: float
    high: float

    def text(self, digits: int) -> str:
        """The number, and its interval in brackets where there is one."""
        span = self.span(digits)
        return f"{self.value:,.{digits}f}" + (f" ({span})" if span else "")

    def percent(self) -> str:
        """The interval of a share in words, nothing where there is none."""
        return "" if math.isnan(self.low) else f"{self.low:.1%} to {self.high:.1%}"

    def span(self, digits: int = 4) -> str:
        """The interval in words, nothing where there is none."""
        return "" if math.isnan(self.low) else f"{self.low:,.{digits}f} to {self.high:,.{digits}f}"


def batch_means(values: np.ndarray, *, batches: int = 20) -> Interval:
    """The mean of a series `values` [T] with its interval by the method of batch means.

    The series is cut into `batches` of equal length, of which the first takes what is over; their means are taken for
    independent and normal, and Student's t gives the interval (Law & Kelton 2000, section 9.5.3). It is about the run
    as it is, its beginning included.
    """
    from scipy.stats import t

    count = min(batches, len(values))
    mean = float(values.mean())
    if count < 2:
        return Interval(mean, math.nan, math.nan)
    length = len(values) // count
    cuts = np.arange(1, count) * length + len(values) % count
    means = np.array([part.mean() for part in np.split(values, cuts)])
    half = float(t.ppf(0.975, count - 1)) * means.std(ddof=1) / math.sqrt(count)
    return Interval(mean, mean - half, mean + half)


def mean_interval(values: Tensor, least: float = -math.inf, most: float = math.inf) -> Interval:
    """The mean of `values` [B] with Student's interval, as far as it lies between `least` and `most`, as they do."""
    from scipy.stats import t

    count, mean = values.numel(), float(values.double().mean())
    if count < 2:
        return Interval(mean, math.nan, math.nan)
    half = float(t.ppf(0.975, count - 1)) * float(values.double().std()) / math.sqrt(count)
    return Interval(mean, max(mean - half, least), min(mean + half, most))


def bootstrap_ratio(numerator: Tensor, denominator: Tensor, *, resamples: int = 2000, seed: int = 0) -> Interval:
    """Mean of `numerator` [B] over mean of `denominator` [B], with the percentile bootstrap over the B pairs.

    Efron & Tibshirani 1993, section 13.3. 0 / 0 counts as 1, more / 0 as infinite.
    Deterministic for a seed.
    """
    above, below = numerator.double().cpu().numpy(), denominator.double().cpu().numpy()
    ratio = float(_divide(above.sum(), below.sum()))
    if len(above) < 2:
        return Interval(ratio, math.nan, math.nan)
    draws = np.random.default_rng(seed).integers(len(above), size=(resamples, len(above)))
    resampled = _divide(above[draws].sum(1), below[draws].sum(1))
    low, high = np.percentile(resampled, [2.5, 97.5], method="nearest")  # which also takes infinite ratios
    return Interval(ratio, float(low), float(high))


def _divide(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((above == 0) & (below == 0), 1.0, above / below)


def interquartile_mean(scores: np.ndarray) -> float:
    """Mean of the middle half of all `scores`: a quarter of them is left out at each end, rounded down.

    Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical precipice", section 4.3.
    """
    ordered = np.sort(scores, axis=None)
    left_out = ordered.size // 4
    return float(ordered[left_out : ordered.size - left_out].mean())


def stratified_interval(scores: np.ndarray, *, resamples: int = 2000, seed: int = 0) -> Interval:
    """The interquartile mean of `scores` [runs, tasks] with its stratified percentile bootstrap (ibid., section 4.1).

    Each resample draws as many runs as there are, with replacement, for each task on its own. Deterministic for a seed.
    """
    num_runs, num_tasks = scores.shape
    if num_runs < 2:
        return Interval(interquartile_mean(scores), math.nan, math.nan)
    draws = np.random.default_rng(seed).integers(num_runs, size=(resamples, num_runs, num_tasks))
    resampled = [interquartile_mean(scores[draw, np.arange(num_tasks)]) for draw in draws]
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Interval(interquartile_mean(scores), float(low), float(high))


def wilson(successes: float, trials: int) -> Interval:
    """A share of `trials` with Wilson's 95 % interval (Wilson 1927), which one trial does not give.

    NaN with the interval 0 to 1 without trials.
    """
    if trials < 2:
        return Interval(successes, math.nan, math.nan) if trials else Interval(math.nan, 0.0, 1.0)
    share, z = successes / trials, 1.959963984540054
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    # Rounding leaves ends that are 0 or 1 beside them.
    return Interval(share, middle - half if share > 0 else 0.0, middle + half if share < 1 else 1.0)
