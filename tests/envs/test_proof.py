"""What a bound proves: exact where the user's numbers are coarser than the error of the bound, and said where not."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphwright.core import from_edges
from graphwright.envs.problems.independent_set.environment import INDEPENDENT_SET
from graphwright.envs.problems.max_cut.problem import MAX_CUT
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER
from graphwright.envs.proof import certified, common_unit, scaled
from strategies import NO_LIMIT

FLOATS = st.floats(-1e9, 1e9, allow_subnormal=False)


@given(st.lists(FLOATS, min_size=1, max_size=8))
def test_all_sums_are_whole_multiples_of_the_common_unit(numbers: list[float]) -> None:
    """By rational arithmetic; and of no power of two above it."""
    unit = common_unit(np.array(numbers))
    if not any(numbers):
        assert unit == np.inf
        return
    parts = [Fraction(number) / Fraction(unit) for number in numbers]
    assert all(part.denominator == 1 for part in parts)
    assert any(part.numerator % 2 for part in parts)


@given(st.lists(st.floats(0, 1e9, allow_subnormal=False), min_size=1, max_size=8), st.integers(20, 50))
def test_rounded_sums_err_by_no_more_than_is_said(numbers: list[float], bits: int) -> None:
    nearly, shift, error = scaled(np.array(numbers), sum(numbers), bits)
    for size in range(len(numbers) + 1):
        for some in combinations(range(len(numbers)), size):
            exact = sum((Fraction(numbers[place]) for place in some), Fraction(0))
            rounded = Fraction(int(sum(np.floor(nearly[list(some)])))) / Fraction(2) ** shift
            assert 0 <= exact - rounded <= Fraction(error)


def test_a_gap_below_the_unit_proves_and_one_of_a_unit_does_not() -> None:
    def proof(objective: float, bound: float, unit: float, error: float) -> tuple[bool, float]:
        numbers = (torch.tensor([value], dtype=torch.float64) for value in (objective, bound, unit, error))
        found = certified(*numbers, None)
        assert found.doubt is not None
        return bool(found.proven), float(found.doubt)

    assert proof(7, 6.5, 1, 0) == (True, 0)
    assert proof(7, 6, 1, 0) == (False, 0)
    assert proof(7, 6.5, 1, 0.6) == (False, 0.6)
    assert proof(7, 7 - 1e-7, 2**-40, 1e-6) == (True, 1e-6)
    assert proof(7, 6.9, 2**-40, 1e-6) == (False, 1e-6)


@pytest.mark.parametrize("much", [16_777_216.0, 1e12, 2.0**48])
def test_a_unit_more_is_not_optimal_however_large_the_weights(much: float) -> None:
    """An edge between two nodes whose weights differ by one: the lighter covers, the heavier is free."""
    pair = from_edges(
        torch.tensor([[0], [1]]),
        torch.tensor([2]),
        undirected=True,
        nodes={"weight": torch.tensor([much + 1, much], dtype=torch.float64)},
    )
    cover = VERTEX_COVER.solve_exactly(VERTEX_COVER.optimization, pair, NO_LIMIT)
    assert (float(cover.objective), float(cover.bound), bool(cover.proven), float(cover.doubt)) == (much, much, True, 0)
    free = INDEPENDENT_SET.solve_exactly(INDEPENDENT_SET.optimization, pair, NO_LIMIT)
    assert (float(free.objective), bool(free.proven)) == (much + 1, True)


def test_a_cut_of_whole_weights_is_proven_exactly() -> None:
    """A triangle with weights 3, 4, 5: the best cut leaves out the lightest."""
    triangle = from_edges(
        torch.tensor([[0, 1, 2], [1, 2, 0]]),
        torch.tensor([3]),
        undirected=True,
        edges={"weight": torch.tensor([3.0, 4.0, 5.0])},
    )
    cut = MAX_CUT.solve_exactly(MAX_CUT.optimization, MAX_CUT.optimization.instance(triangle), NO_LIMIT)
    assert (float(cut.objective), float(cut.bound), bool(cut.proven), float(cut.doubt)) == (9, 9, True, 0)
