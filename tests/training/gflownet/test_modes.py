"""Modes and diversity, by hand and against plain loops."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphwright.training.gflownet import modes
from graphwright.training.gflownet.modes import (
    Tanimoto,
    diversity,
    find_modes,
    top_k_diversity,
)

BITS = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [1, 1, 0, 0]], bool)
EVERY = np.arange(5)


@st.composite
def rewarded(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Rewards with ties, and fingerprints of 1 to 20 bits."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    count = draw(st.integers(0, 30))
    return rng.integers(0, 8, count) / 8, rng.random((count, draw(st.integers(1, 20)))) < rng.random()


def test_tanimoto_by_hand() -> None:
    expected = [
        [1, 2 / 3, 0, 0, 1],
        [2 / 3, 1, 0, 0, 2 / 3],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 1, 0],
        [1, 2 / 3, 0, 0, 1],
    ]
    similarity = Tanimoto(BITS)
    np.testing.assert_allclose(similarity(EVERY, EVERY), expected)
    np.testing.assert_allclose(similarity(np.array([1]), np.array([4, 2])), [[2 / 3, 0]])
    assert similarity(EVERY[:0], EVERY).shape == (0, 5)


@given(rewarded())
def test_tanimoto_is_common_over_all(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    _, bits = drawn
    found = Tanimoto(bits)(np.arange(len(bits)), np.arange(len(bits)))
    for (i, left), (j, right) in combinations(enumerate(bits), 2):
        either = int((left | right).sum())
        assert found[i, j] == found[j, i] == (int((left & right).sum()) / either if either else 1)


def test_top_k_by_hand() -> None:
    rewards = np.array([0.1, 0.9, 0.5, 0.7, 0.3])
    similarity = Tanimoto(BITS)
    # Pairs of all five: 0-1, 0-4 and 1-4 share something.
    assert diversity(5, similarity) == pytest.approx((10 - 2 / 3 - 1 - 2 / 3) / 10)
    # The best three are 1, 3 and 2, all different; of the best five all count.
    assert top_k_diversity(rewards, similarity, 3) == pytest.approx(1.0)
    assert top_k_diversity(rewards, similarity, 5) == pytest.approx(diversity(5, similarity))
    assert math.isnan(diversity(1, similarity))


def test_modes_by_hand() -> None:
    rewards = np.array([0.8, 0.9, 0.7, 0.2, 0.8])
    similarity = Tanimoto(BITS)
    assert find_modes(rewards, similarity, 0.5, 0.7).tolist() == [1, 0, 2]  # 4 equals 0
    assert find_modes(rewards, similarity, 0.5, 0.6).tolist() == [1, 2]  # 0 and 4 are near 1
    assert find_modes(rewards, similarity, 0.8, 1.1).tolist() == [1, 0, 4]  # nothing is too near
    assert find_modes(rewards, similarity, 0.2, 2 / 3).tolist() == [1, 2, 3]  # as near as the limit is too near
    assert len(find_modes(rewards, similarity, 1.0, 0.5)) == 0


@given(rewarded(), st.sampled_from([0.0, 0.25, 0.6]), st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_blocks_change_nothing(drawn: tuple[np.ndarray, np.ndarray], threshold: float, limit: float) -> None:
    rewards, bits = drawn
    similarity = Tanimoto(bits)
    pairs = similarity(np.arange(len(bits)), np.arange(len(bits)))
    expected: list[int] = []
    for index in sorted(range(len(rewards)), key=lambda index: (-rewards[index], index)):
        if rewards[index] >= threshold and all(pairs[index, mode] < limit for mode in expected):
            expected.append(index)
    different = [1 - pairs[i, j] for i, j in combinations(range(len(bits)), 2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(modes, "_BLOCK", 4)
        assert find_modes(rewards, similarity, threshold, limit).tolist() == expected
        found = diversity(len(bits), similarity)
    assert found == pytest.approx(np.mean(different)) if different else math.isnan(found)
