"""Seeds that are made of others."""

from __future__ import annotations

import numpy as np


def derived_seed(seed: int, *path: int, bits: int = 63) -> int:
    """A seed below 2^bits out of `seed` and where it is used, so that different ones practically never meet.

    path: numbers from 0 on, such as that of a block of a stream. NumPy's `SeedSequence` mixes them.
    """
    sequence = np.random.SeedSequence([seed % 2**64, *path])
    return int(sequence.generate_state(1, np.uint64)[0]) & (2**bits - 1)
