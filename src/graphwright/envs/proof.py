"""What a bound proves of numbers that a computer holds: when no better value fits between it and a solution."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphwright.core import GraphBatch, Segments
from graphwright.envs.problem import Optimum

_COARSEST = 1e-4
"""Of an objective: a proof with more doubt is none."""


def certified(objective: Tensor, bound: Tensor, unit: Tensor, error: Tensor, solution: GraphBatch | None) -> Optimum:
    """The solutions of `objective` [B], with what `bound` [B] proves of them; all numbers are float64.

    unit [B]: two solutions of a graph differ by that much, or are equally good (see `common_units`). error [B]: by how
    much the bound may be wrong. A gap below the unit proves exactly. Where the unit is finer than the error, a gap
    within the error has to do, if that is no more than 10^-4 of the objective, and the solution may miss the optimum by
    so much: the `doubt` of the proof.
    """
    gap = (objective - bound).abs()
    exact = (unit > error) & (gap + error < unit)
    proven = exact | ((unit <= error) & (gap <= error) & (error <= _COARSEST * objective.abs()))
    return Optimum(objective, torch.where(exact, objective, bound), proven, solution, torch.where(exact, 0, error))


def common_unit(numbers: NDArray[np.float64]) -> float:
    """The largest power of two of which all `numbers` [n] are whole multiples; ∞ where all of them are 0.

    Sums of some of them are such multiples too, so two different sums differ by that much at least.
    """
    mantissa, exponent = np.frexp(numbers[numbers != 0])
    whole = np.abs(np.ldexp(mantissa, 53)).astype(np.int64)
    return float(np.ldexp((whole & -whole).astype(np.float64), exponent - 53).min(initial=np.inf))


def common_units(numbers: Tensor, segments: Segments) -> Tensor:
    """[B] float64: `common_unit` of each graph's numbers [rows]."""
    parts = numbers.detach().cpu().double().split(segments.lengths.tolist())
    return torch.tensor([common_unit(part.numpy()) for part in parts], dtype=torch.float64, device=numbers.device)


def scaled(numbers: NDArray[np.float64], total: float, bits: int = 50) -> tuple[NDArray[np.float64], int, float]:
    """`numbers` [n] as nearly whole ones for a solver that counts in integers and gives its bound as float64.

    Returns them times 2^shift, still to be rounded, so that `total` takes so many bits; the shift; and by how much a
    sum of n of them errs when they are rounded, which is 0 where they are whole already.
    """
    shift = bits - int(np.frexp(total)[1])
    error = 0.0 if common_unit(numbers) >= np.ldexp(1.0, -shift) else float(np.ldexp(float(len(numbers)), -shift))
    return np.ldexp(numbers, shift), shift, error
