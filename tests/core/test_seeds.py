"""Seeds that are made of others are different, in range, and always the same."""

from __future__ import annotations

import numpy as np
import torch

from graphwright.core.seeds import derived_seed


def test_different_places_have_different_seeds() -> None:
    seeds = [
        derived_seed(seed, *path)
        for seed in (-1, 0, 1, 2**40)
        for path in [(k,) for k in range(50)] + [(k, 1) for k in range(50)]
    ]
    assert len(set(seeds)) == len(seeds)
    for seed in seeds[:10]:
        torch.Generator().manual_seed(seed)


def test_seeds_are_those_of_numpy_and_in_range() -> None:
    assert derived_seed(3, 4, bits=32) == int(np.random.SeedSequence([3, 4]).generate_state(1)[0])
    for bits in (8, 32, 63):
        seeds = [derived_seed(0, place, bits=bits) for place in range(100)]
        assert 0 <= min(seeds) < 2 ** (bits - 1) <= max(seeds) < 2**bits
