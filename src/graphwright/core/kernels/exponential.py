"""exp and softmax as loops that a compiler can vectorise; the exp of the C library takes one number at a time."""

from __future__ import annotations

from functools import partial

import numpy as np

from graphwright.core.kernels.jit import Kernel, jit

_LOG2_E = np.float32(1.4426950408889634)
_LN_2_HIGH, _LN_2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)  # few digits of ln 2, and the rest of it
_P0, _P1, _P2 = np.float32(1.9875691500e-4), np.float32(1.3981999507e-3), np.float32(8.3334519073e-3)
_P3, _P4, _P5 = np.float32(4.1665795894e-2), np.float32(1.6666665459e-1), np.float32(5.0000001201e-1)
_LEAST = np.float32(-80)  # smaller powers, once divided by a sum, would be denormal numbers, which are slow


@partial(Kernel, fastmath={"contract"})  # reordered, the two parts of ln 2 would become one
def exp_in_place(x, bits):  # type: ignore[no-untyped-def]
    """x ← exp(x) for x [n] float32 of at most 0; below -80 it is e^-80. `bits` is scratch, at least [n] int32.

    x = m ln 2 + r; the polynomial for e^r is that of expf in Cephes (Moshier 1992), 2^m is written as bits. Within
    2e-7 of the true value, relatively.
    """
    power = bits.view(np.float32)
    for k in range(x.size):
        value = max(x[k], _LEAST)
        m = np.int32(value * _LOG2_E - np.float32(0.5))
        r = value - np.float32(m) * _LN_2_HIGH - np.float32(m) * _LN_2_LOW
        bits[k] = (m + np.int32(127)) << np.int32(23)
        p = ((((_P0 * r + _P1) * r + _P2) * r + _P3) * r + _P4) * r + _P5
        x[k] = (p * r * r + r + np.float32(1)) * power[k]


@jit
def softmax_in_place(x, bits):  # type: ignore[no-untyped-def]
    """x ← softmax of each column of x [n, H]. `bits` is scratch, at least [n · H] int32."""
    rows, columns = x.shape
    for h in range(columns):
        largest = np.float32(-np.inf)
        for k in range(rows):
            largest = max(largest, x[k, h])
        for k in range(rows):
            x[k, h] -= largest
    exp_in_place(x.reshape(rows * columns), bits)
    for h in range(columns):
        total = np.float32(0)
        for k in range(rows):
            total += x[k, h]
        for k in range(rows):
            x[k, h] /= total


@jit
def softmax_backward_in_place(grad, x):  # type: ignore[no-untyped-def]
    """grad ← gradient by what went into the softmax that gave x [n, H], from the gradient by x."""
    rows, columns = x.shape
    for h in range(columns):
        mean = np.float32(0)
        for k in range(rows):
            mean += x[k, h] * grad[k, h]
        for k in range(rows):
            grad[k, h] = x[k, h] * (grad[k, h] - mean)
