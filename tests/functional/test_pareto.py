"""Indicators of Pareto fronts, by hand, by brute force and by counting points."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphwright.functional import pareto
from graphwright.functional.pareto import hypervolume, igd, pareto_front, r2, simplex_weights


@st.composite
def point_sets(draw: st.DrawFn, most: int = 9) -> np.ndarray:
    """Points on a coarse grid, with ties, repeats and some below the origin."""
    count, objectives = draw(st.integers(0, most)), draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    return rng.integers(-1, draw(st.integers(1, 8)), (count, objectives)) / 4


def union(points: np.ndarray) -> float:
    """The volume of a union of boxes by inclusion and exclusion."""
    height = np.maximum(points, 0)
    return sum(
        (-1) ** (size + 1) * height[list(some)].min(0).prod()
        for size in range(1, len(points) + 1)
        for some in combinations(range(len(points)), size)
    )


def test_pareto_front_by_hand() -> None:
    points = np.array([[1, 3], [2, 2], [3, 1], [1, 2], [2, 2], [0, 3], [3, 0]])
    assert pareto_front(points).tolist() == [True, True, True, False, True, False, False]
    assert pareto_front(points[:0]).tolist() == []


@given(point_sets(40))
def test_pareto_front_is_what_nothing_dominates(points: np.ndarray) -> None:
    expected = [not any((p >= q).all() and (p > q).any() for p in points) for q in points]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pareto, "_BLOCK", 3)
        assert pareto_front(points).tolist() == expected


def test_hypervolume_by_hand() -> None:
    assert hypervolume(np.array([[1, 3], [2, 2], [3, 1]]), np.zeros(2)) == 3 + 2 + 1
    assert hypervolume(np.array([[1, 3], [2, 2], [3, 1]]), np.array([1, 1])) == 1
    assert hypervolume(np.array([[2, 2, 2], [3, 1, 1]]), np.zeros(3)) == 8 + 1
    assert hypervolume(np.array([[2, 2, 2, 2], [1, 1, 1, 5], [0, 9, 9, 9]]), np.zeros(4)) == 16 + 3
    assert hypervolume(np.empty((0, 3)), np.zeros(3)) == 0


@given(point_sets(), st.permutations(range(4)))
def test_hypervolume_is_inclusion_and_exclusion(points: np.ndarray, order: list[int]) -> None:
    """Whatever the order of the objectives; another point never takes anything away."""
    objectives = points.shape[1]
    whole = hypervolume(points, np.zeros(objectives))
    assert whole == pytest.approx(union(points), abs=1e-12)
    turned = points[:, [place for place in order if place < objectives]]
    assert hypervolume(turned + 1, np.ones(objectives)) == pytest.approx(whole, abs=1e-12)
    assert hypervolume(points[:-1], np.zeros(objectives)) <= whole + 1e-12


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_hypervolume_counts_random_points(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    points = rng.random((60, objectives)) ** 0.5
    drawn = rng.random((40_000, objectives))
    share = np.mean([(points >= one).all(1).any() for one in drawn])
    deviation = (share * (1 - share) / len(drawn)) ** 0.5
    assert hypervolume(points, np.zeros(objectives)) == pytest.approx(share, abs=4 * deviation)


def test_igd_by_hand() -> None:
    front = np.array([[0, 3], [3, 0], [2, 2]])
    assert igd(np.array([[0, 0]]), front) == pytest.approx((3 + 3 + 8**0.5) / 3)
    assert igd(np.array([[0, 0], [3, 4]]), front) == pytest.approx((3 + 3 + 5**0.5) / 3)
    assert igd(front, front) == 0


def test_r2_by_hand() -> None:
    points, ideal = np.array([[1, 0.5], [0, 1]]), np.ones(2)
    weights = simplex_weights(2, 2)
    assert weights.tolist() == [[0, 1], [0.5, 0.5], [1, 0]]
    # (0, 1): 0.5 and 0; (½, ½): 0.25 and 0.5; (1, 0): 0 and 1.
    assert r2(points, weights, ideal) == pytest.approx((0 + 0.25 + 0) / 3)
    assert r2(points[1:], weights, ideal) == pytest.approx((0 + 0.5 + 1) / 3)


@pytest.mark.parametrize(("objectives", "divisions", "count"), [(1, 3, 1), (2, 5, 6), (3, 4, 15), (4, 3, 20)])
def test_simplex_weights_are_all_there_are(objectives: int, divisions: int, count: int) -> None:
    weights = simplex_weights(objectives, divisions)
    assert weights.shape == (count, objectives)
    assert len(np.unique(weights, axis=0)) == count
    np.testing.assert_allclose(weights.sum(1), 1)
    np.testing.assert_array_equal(np.round(weights * divisions), weights * divisions)
    assert weights.min() >= 0
