"""One row of each ragged group, drawn by a uniform number."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core.kernels.exponential import exp_in_place
from graphwright.core.kernels.jit import arrays, jit

_NEVER = np.float32(-np.inf)


def drawn(logits: Tensor, ptr: Tensor, number: Tensor, uniform: Tensor | None = None) -> Tensor:
    """[G] int64: the place inside its group of a row, by the softmax of `logits` [M] float32; -1 without a legal one.

    number: [G] float64 in [0, 1); the row is the first up to which the probabilities add up to more than that.
    uniform: [G] bool, groups whose legal rows, those that are not -inf, are all alike likely; None: no group.
    """
    if uniform is None:
        uniform = torch.zeros_like(number, dtype=torch.bool)
    return torch.from_numpy(_drawn(*arrays(logits, ptr, number, uniform)))


def drawn_true(mask: Tensor, ptr: Tensor, number: Tensor) -> Tensor:
    """[G]: the place inside its group of one of the true rows of `mask` [M] bool, -1 where there is none.

    number: [G] float in [0, 1), which of them: drawn uniformly, each is alike likely.
    """
    return torch.from_numpy(_drawn_true(*arrays(mask, ptr, number)))


@jit
def _drawn(logits, ptr, number, uniform):  # type: ignore[no-untyped-def]
    power, bits, out = np.empty_like(logits), np.empty(logits.size, np.int32), np.empty(ptr.size - 1, np.int64)
    for g in range(ptr.size - 1):
        largest = _NEVER
        for k in range(ptr[g], ptr[g + 1]):
            largest = max(largest, logits[k])
        for k in range(ptr[g], ptr[g + 1]):
            power[k] = np.float32(0) if uniform[g] or logits[k] == largest else logits[k] - largest
    exp_in_place(power, bits)
    for g in range(ptr.size - 1):
        total, place = 0.0, -1
        for k in range(ptr[g], ptr[g + 1]):
            if logits[k] > _NEVER:
                total += power[k]
        left = number[g] * total
        for k in range(ptr[g], ptr[g + 1]):
            if logits[k] > _NEVER:  # the last legal one, where rounding leaves something
                place = k - ptr[g]
                left -= power[k]
                if left < 0:
                    break
        out[g] = place
    return out


@jit
def _drawn_true(mask, ptr, number):  # type: ignore[no-untyped-def]
    out = np.empty(ptr.size - 1, np.int64)
    for g in range(ptr.size - 1):
        count = 0
        for k in range(ptr[g], ptr[g + 1]):
            count += mask[k]
        left, place = int(number[g] * count), -1
        for k in range(ptr[g], ptr[g + 1]):
            if mask[k]:
                if left == 0:
                    place = k - ptr[g]
                    break
                left -= 1
        out[g] = place
    return out
