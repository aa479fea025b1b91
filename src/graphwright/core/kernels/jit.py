"""What all kernels share: the compiler's settings, when a kernel is taken, and tensors as arrays."""

from __future__ import annotations

from typing import Any

import numba
import torch
from torch import Tensor

# Sums may be reordered, or no loop that sums would use vector instructions; NaN and infinity keep their meaning.
# Arrays are indexed by the variables of `range` alone: Numba guards any other index against a negative one, and a
# guarded loop is not vectorised (measured: ten times slower).
jit = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"})


def has_kernel(x: Tensor) -> bool:
    """Whether the Numba kernels take a tensor like `x`; the plain-torch reference takes every other."""
    return x.device.type == "cpu" and x.dtype == torch.float32


def contiguous(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors with rows in order, so that `zeros_like` of one is too, and a kernel can write into it."""
    return tuple(tensor.contiguous() for tensor in tensors)


def arrays(*tensors: Tensor | None) -> tuple[Any, ...]:
    """The tensors as C-contiguous arrays, which share their memory where they are contiguous; None stays None.

    For each argument that is None a kernel is compiled once more, without what it would have done with it.
    """
    return tuple(None if tensor is None else _array(tensor) for tensor in tensors)


def _array(tensor: Tensor) -> Any:
    if tensor.requires_grad:
        tensor = tensor.detach()
    return tensor.numpy() if tensor.is_contiguous() else tensor.contiguous().numpy()
