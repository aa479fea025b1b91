"""The tree of maxima against a plain list."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from graphwright.core.largest import LargestOf

finite = st.integers(-3, 3).map(float)
numbers = finite | st.just(-torch.inf)


@given(st.lists(numbers, min_size=1, max_size=40), st.data())
def test_it_is_the_largest_after_any_changes(values: list[float], data: st.DataObject) -> None:
    tree = LargestOf(torch.tensor(values))
    for _ in range(3):
        assert tree.largest == max(values)
        assert tree.first_largest == values.index(max(values))
        least = data.draw(finite)
        assert tree.at_least(least).tolist() == [row for row, value in enumerate(values) if value >= least]
        rows = data.draw(st.lists(st.integers(0, len(values) - 1), unique=True))
        new = data.draw(st.lists(numbers, min_size=len(rows), max_size=len(rows)))
        tree.update(torch.tensor(rows, dtype=torch.int64), torch.tensor(new))
        for row, value in zip(rows, new, strict=True):
            values[row] = value
