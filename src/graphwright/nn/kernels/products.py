"""Matrix products of four rows at a time, for use inside kernels.

Four rows share each load of the other matrix, which stays in the first cache; so a product is part of the loop that
uses it, and the [E, F] matrix of all rows is never in memory. The rows are first .. first + 3 of `a`; past the end of
`a` its last row repeats. Factors of another number of columns are filled up inside the kernel too, by `filled` and
`turned`: that costs nothing beside the products, and outside it would be four more small operations a pass.
"""

from __future__ import annotations

import numpy as np

from graphwright.core.kernels.jit import jit


@jit
def filled(a):  # type: ignore[no-untyped-def]
    """[M, K] → [M, K up to a multiple of 4], zeros on the right."""
    out = np.zeros((a.shape[0], (a.shape[1] + 3) // 4 * 4), np.float32)
    for r in range(a.shape[0]):
        for k in range(a.shape[1]):
            out[r, k] = a[r, k]
    return out


@jit
def turned(weight):  # type: ignore[no-untyped-def]
    """[F, K] → [K up to a multiple of 4, F], zeros below."""
    out = np.zeros(((weight.shape[1] + 3) // 4 * 4, weight.shape[0]), np.float32)
    for f in range(weight.shape[0]):
        for k in range(weight.shape[1]):
            out[k, f] = weight[f, k]
    return out


@jit
def turn_back(turned_weight, weight):  # type: ignore[no-untyped-def]
    """weight [F, K] ← what `turned` would have made `turned_weight` of."""
    for f in range(weight.shape[0]):
        for k in range(weight.shape[1]):
            weight[f, k] = turned_weight[k, f]


@jit
def unfill(full, a):  # type: ignore[no-untyped-def]
    """a [M, K] ← what `filled` would have made `full` of."""
    for r in range(a.shape[0]):
        for k in range(a.shape[1]):
            a[r, k] = full[r, k]


@jit
def add_product(out, a, first, b):  # type: ignore[no-untyped-def]
    """out[t] += a[first + t] @ b. out: [4, F]; a: [M, K], K a multiple of 4; b: [K, F]."""
    last = a.shape[0] - 1
    r0, r1, r2, r3 = first, min(first + 1, last), min(first + 2, last), min(first + 3, last)
    for k in range(0, a.shape[1], 4):
        p0, p1, p2, p3 = a[r0, k], a[r0, k + 1], a[r0, k + 2], a[r0, k + 3]
        q0, q1, q2, q3 = a[r1, k], a[r1, k + 1], a[r1, k + 2], a[r1, k + 3]
        s0, s1, s2, s3 = a[r2, k], a[r2, k + 1], a[r2, k + 2], a[r2, k + 3]
        t0, t1, t2, t3 = a[r3, k], a[r3, k + 1], a[r3, k + 2], a[r3, k + 3]
        for f in range(out.shape[1]):
            b0, b1, b2, b3 = b[k, f], b[k + 1, f], b[k + 2, f], b[k + 3, f]
            out[0, f] += p0 * b0 + p1 * b1 + p2 * b2 + p3 * b3
            out[1, f] += q0 * b0 + q1 * b1 + q2 * b2 + q3 * b3
            out[2, f] += s0 * b0 + s1 * b1 + s2 * b2 + s3 * b3
            out[3, f] += t0 * b0 + t1 * b1 + t2 * b2 + t3 * b3


@jit
def add_outer_product(out, a, first, b):  # type: ignore[no-untyped-def]
    """out += Σ_t a[first + t] ⊗ b[t]. out: [K, F]; a: [M, K], K a multiple of 4; b: [4, F], 0 past the end of a."""
    last = a.shape[0] - 1
    r0, r1, r2, r3 = first, min(first + 1, last), min(first + 2, last), min(first + 3, last)
    for k in range(0, a.shape[1], 4):
        p0, p1, p2, p3 = a[r0, k], a[r0, k + 1], a[r0, k + 2], a[r0, k + 3]
        q0, q1, q2, q3 = a[r1, k], a[r1, k + 1], a[r1, k + 2], a[r1, k + 3]
        s0, s1, s2, s3 = a[r2, k], a[r2, k + 1], a[r2, k + 2], a[r2, k + 3]
        t0, t1, t2, t3 = a[r3, k], a[r3, k + 1], a[r3, k + 2], a[r3, k + 3]
        for f in range(out.shape[1]):
            b0, b1, b2, b3 = b[0, f], b[1, f], b[2, f], b[3, f]
            out[k, f] += p0 * b0 + q0 * b1 + s0 * b2 + t0 * b3
            out[k + 1, f] += p1 * b0 + q1 * b1 + s1 * b2 + t1 * b3
            out[k + 2, f] += p2 * b0 + q2 * b1 + s2 * b2 + t2 * b3
            out[k + 3, f] += p3 * b0 + q3 * b1 + s3 * b2 + t3 * b3


@jit
def write_inner_products(out, first, a, b):  # type: ignore[no-untyped-def]
    """out[first + t] = b @ a[t], for the rows that out has. out: [M, K], K a multiple of 4; a: [4, F]; b: [K, F]."""
    for k in range(0, out.shape[1], 4):
        p0 = p1 = p2 = p3 = q0 = q1 = q2 = q3 = np.float32(0)
        s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = np.float32(0)
        for f in range(a.shape[1]):
            a0, a1, a2, a3 = a[0, f], a[1, f], a[2, f], a[3, f]
            b0, b1, b2, b3 = b[k, f], b[k + 1, f], b[k + 2, f], b[k + 3, f]
            p0, p1, p2, p3 = p0 + a0 * b0, p1 + a0 * b1, p2 + a0 * b2, p3 + a0 * b3
            q0, q1, q2, q3 = q0 + a1 * b0, q1 + a1 * b1, q2 + a1 * b2, q3 + a1 * b3
            s0, s1, s2, s3 = s0 + a2 * b0, s1 + a2 * b1, s2 + a2 * b2, s3 + a2 * b3
            t0, t1, t2, t3 = t0 + a3 * b0, t1 + a3 * b1, t2 + a3 * b2, t3 + a3 * b3
        sums = (p0, p1, p2, p3), (q0, q1, q2, q3), (s0, s1, s2, s3), (t0, t1, t2, t3)
        for t in range(min(4, out.shape[0] - first)):
            out[first + t, k], out[first + t, k + 1] = sums[t][0], sums[t][1]
            out[first + t, k + 2], out[first + t, k + 3] = sums[t][2], sums[t][3]
