"""Kernels of runs of rows give what their references give."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core.kernels import runs
from graphwright.core.segment import Segments

lengths = st.lists(st.integers(0, 4), max_size=6)


def pointer(of: list[int]) -> Tensor:
    return Segments.from_lengths(torch.tensor(of, dtype=torch.int64)).ptr


@given(lengths, st.sampled_from([(), (3,), (0,)]), st.sampled_from([torch.float32, torch.int64, torch.bool]))
def test_rows_are_spread_as_by_the_reference(of: list[int], row: tuple[int, ...], dtype: torch.dtype) -> None:
    rows = torch.arange(sum(of) * torch.Size(row).numel()).view(-1 if row != (0,) else sum(of), *row).to(dtype)
    ptr = pointer(of)
    ours = runs.spread_runs(rows, ptr, 4, 1)
    assert ours.equal(runs.spread_runs_reference(rows, ptr, 4, 1))
    assert ours.shape == (len(of), 4, *row)
    for strip in (runs.strip_runs, runs.strip_runs_reference):
        assert strip(ours, ptr, sum(of)).equal(rows)


@pytest.mark.parametrize("needs_gradient", [False, True])
def test_a_group_without_room_is_refused(needs_gradient: bool) -> None:
    rows = torch.zeros(5, requires_grad=needs_gradient)
    with pytest.raises(IndexError, match="a group has 3 rows, there is room for 2"):
        runs.spread_runs(rows, pointer([2, 3]), 2, 0)
    with pytest.raises(IndexError, match="a group has 3 rows, there is room for 2"):
        runs.strip_runs(torch.zeros(2, 2, requires_grad=needs_gradient), pointer([2, 3]), 5)


def test_gradients_pass_through_rows_that_are_spread_and_gathered() -> None:
    ptr, rows = pointer([2, 0, 1]), torch.arange(3.0, requires_grad=True)
    spread = runs.spread_runs(rows, ptr, 2, 7.0)
    assert spread.tolist() == [[0.0, 1.0], [7.0, 7.0], [2.0, 7.0]]
    (runs.gather_runs(spread.flatten(), torch.tensor([0, 2, 4]), ptr, 3) ** 2).sum().backward()
    assert rows.grad is not None
    assert rows.grad.tolist() == [0.0, 2.0, 4.0]
    rows.grad = None
    (runs.strip_runs(runs.spread_runs(rows, ptr, 2, 7.0), ptr, 3) ** 2).sum().backward()
    assert rows.grad.tolist() == [0.0, 2.0, 4.0]


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3)), max_size=4), st.booleans(), st.data())
def test_ends_are_checked_as_by_the_reference(graphs: list[tuple[int, int]], inside: bool, data: st.DataObject) -> None:
    ends = [
        [data.draw(st.integers(0, size - 1) if inside else st.integers(-1, size)) for _ in range(2)]
        for size, edges in graphs
        for _ in range(edges)
    ]
    table = torch.tensor(ends, dtype=torch.int64).view(-1, 2)
    edge_ptr, node_ptr = pointer([edges for _, edges in graphs]), pointer([size for size, _ in graphs])
    union, *found = runs.checked_union_ends(table, edge_ptr, node_ptr)
    expected, *said = runs.checked_union_ends_reference(table, edge_ptr, node_ptr)
    assert found == said
    if found[0] < 0:
        assert union.equal(expected)
        assert union.equal(runs.to_union_ends(table, edge_ptr, node_ptr))


@pytest.mark.parametrize(("ends", "found"), [
    ([[0, 0], [1, 0], [0, 1], [0, 0]], (-1, True)),
    ([[1, 0], [0, 0], [0, 1], [0, 0]], (-1, False)),
    ([[0, 0], [1, 2], [0, 1], [0, 0]], (1, False)),
    ([[0, 0], [1, 0], [0, 1], [-1, 0]], (3, False)),
])  # fmt: skip
def test_the_first_end_outside_its_graph_is_found(ends: list[list[int]], found: tuple[int, bool]) -> None:
    for check in (runs.checked_union_ends, runs.checked_union_ends_reference):
        assert check(torch.tensor(ends), pointer([3, 0, 1]), pointer([2, 1, 1]))[1:] == found
