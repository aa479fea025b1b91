"""Log-probabilities of ragged groups and their gradient, in one walk each."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core.kernels.exponential import exp_in_place
from graphwright.core.kernels.jit import arrays, jit

_NEVER = np.float32(-np.inf)


def log_softmax(values: Tensor, ptr: Tensor) -> Tensor:
    """`values` [M] less the log-sum-exp of their group; -inf stays, also where a group holds nothing else."""
    out = torch.empty_like(values, memory_format=torch.contiguous_format)
    _log_softmax(*arrays(values, ptr, out))
    return out


def log_softmax_backward(grad: Tensor, log_probs: Tensor, ptr: Tensor) -> Tensor:
    """The gradient [M] by what `log_probs` [M] came from; 0 where they are -inf."""
    out = torch.empty_like(log_probs)
    _log_softmax_backward(*arrays(grad, log_probs, ptr, out))
    return out


@jit
def _log_softmax(values, ptr, out):  # type: ignore[no-untyped-def]
    power, bits = np.empty_like(values), np.empty(values.size, np.int32)
    for g in range(ptr.size - 1):
        largest = _NEVER
        for k in range(ptr[g], ptr[g + 1]):
            largest = max(largest, values[k])
        shift = largest if largest > _NEVER else np.float32(0)
        for k in range(ptr[g], ptr[g + 1]):
            out[k] = values[k] - shift
            power[k] = out[k]
    exp_in_place(power, bits)
    for g in range(ptr.size - 1):
        total = np.float32(0)
        for k in range(ptr[g], ptr[g + 1]):
            total += power[k]
        shift = np.log(max(total, np.float32(1)))  # the largest alone gives 1
        for k in range(ptr[g], ptr[g + 1]):
            out[k] -= shift


@jit
def _log_softmax_backward(grad, log_probs, ptr, out):  # type: ignore[no-untyped-def]
    power, bits = np.empty_like(out), np.empty(out.size, np.int32)
    for k in range(out.size):
        power[k] = log_probs[k]
    exp_in_place(power, bits)
    for g in range(ptr.size - 1):
        total = np.float32(0)
        for k in range(ptr[g], ptr[g + 1]):
            total += grad[k] if log_probs[k] > _NEVER else np.float32(0)
        for k in range(ptr[g], ptr[g + 1]):
            out[k] = grad[k] - power[k] * total if log_probs[k] > _NEVER else np.float32(0)
