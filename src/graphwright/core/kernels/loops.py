"""Numbers put into other arrays by a loop: assigning to a slice, Numba compiles the words of an error for seconds."""

from __future__ import annotations

import numpy as np

from graphwright.core.kernels.jit import jit_as_written


@jit_as_written
def copy_into(target, source):  # type: ignore[no-untyped-def]
    """target [n] ← source [n]."""
    for k in range(source.size):
        target[k] = source[k]


@jit_as_written
def with_room(array, size):  # type: ignore[no-untyped-def]
    """`array` [n], of which `size` numbers are in use: where that is all of them, one of twice the length."""
    if size < array.size:
        return array
    larger = np.empty(2 * array.size, array.dtype)
    copy_into(larger, array)
    return larger


@jit_as_written
def with_one_more(array, size, number):  # type: ignore[no-untyped-def]
    """`array`, or one of twice the length, with `number` behind the `size` that are in use; and how many are then."""
    array = with_room(array, size)
    array[size] = number
    return array, size + 1
