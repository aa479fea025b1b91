"""Kernels of ragged groups give what their references give, whose meaning the tests of segments hold."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core.kernels import groups
from graphwright.core.kernels.selection import select_graphs, select_graphs_reference
from graphwright.core.segment import Segments, segment_argmax
from strategies import seeded

lengths = st.lists(st.integers(0, 4), max_size=6)


def pointer(of: list[int]) -> Tensor:
    return Segments.from_lengths(torch.tensor(of, dtype=torch.int64)).ptr


@given(lengths, st.sampled_from([torch.int64, torch.int32]))
def test_groups_begin_where_the_reference_says(of: list[int], dtype: torch.dtype) -> None:
    given_ = torch.tensor(of, dtype=dtype)
    assert groups.pointer(given_).equal(groups.pointer_reference(given_))


@given(lengths)
def test_the_index_is_that_of_the_reference(of: list[int]) -> None:
    ptr = pointer(of)
    assert groups.group_index(ptr, sum(of)).equal(groups.group_index_reference(ptr, sum(of)))


@given(lengths.filter(bool), st.data())
def test_the_selection_is_that_of_the_reference(of: list[int], data: st.DataObject) -> None:
    ptr, places = pointer(of), st.integers(-len(of), len(of) - 1)
    chosen = torch.tensor(data.draw(st.lists(places, max_size=8)), dtype=torch.int64)
    for ours, theirs in zip(
        groups.select_groups(ptr, chosen), groups.select_groups_reference(ptr, chosen), strict=True
    ):
        assert ours.equal(theirs)


@pytest.mark.parametrize("wrong", [-4, 3])
def test_a_group_that_is_not_there_is_refused(wrong: int) -> None:
    with pytest.raises(IndexError, match=f"groups {min(wrong, 0)} to {max(wrong, 0)} of 3"):
        groups.select_groups(pointer([1, 0, 2]), torch.tensor([0, wrong]))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=5), st.data())
def test_graphs_are_selected_as_by_the_reference(sizes: list[tuple[int, int]], data: st.DataObject) -> None:
    sizes = [(nodes, edges if nodes else 0) for nodes, edges in sizes]
    node_ptr, edge_ptr = (pointer(list(of)) for of in zip(*sizes, strict=True))
    begin, nodes = node_ptr[:-1].repeat_interleave(edge_ptr.diff()), node_ptr.diff().repeat_interleave(edge_ptr.diff())
    ends = begin + (torch.rand(2, begin.numel(), generator=seeded()) * nodes).long()
    places = st.integers(-len(sizes), len(sizes) - 1)
    chosen = torch.tensor(data.draw(st.lists(places, max_size=8)), dtype=torch.int64)
    given_all = node_ptr, edge_ptr, ends, chosen
    for ours, theirs in zip(select_graphs(*given_all), select_graphs_reference(*given_all), strict=True):
        assert ours.equal(theirs)
    with pytest.raises(IndexError, match=f"graphs {len(sizes)} to {len(sizes)} of {len(sizes)}"):
        select_graphs(node_ptr, edge_ptr, ends, torch.tensor([len(sizes)]))


@given(st.integers(0, 5).flatmap(lambda b: st.lists(st.lists(st.integers(0, 3), min_size=b, max_size=b), min_size=1)))
def test_the_interleaving_is_that_of_the_reference(tables: list[list[int]]) -> None:
    ptr = torch.stack([pointer(table) for table in tables])
    for ours, theirs in zip(groups.interleave(ptr), groups.interleave_reference(ptr), strict=True):
        assert ours.equal(theirs)


def test_tables_are_interleaved_group_by_group() -> None:
    total, order = groups.interleave(torch.stack([pointer([1, 2]), pointer([2, 0])]))  # rows 0 1 2, then 3 4
    assert (total.tolist(), order.tolist()) == ([0, 3, 5], [0, 3, 4, 1, 2])


@given(lengths, st.data())
def test_the_first_largest_is_the_same_in_both_precisions(of: list[int], data: st.DataObject) -> None:
    cell = st.sampled_from([-float("inf"), -1.0, 0.0, 2.0])
    values = torch.tensor(data.draw(st.lists(cell, min_size=sum(of), max_size=sum(of))), dtype=torch.float32)
    segments = Segments(pointer(of))
    assert segment_argmax(values, segments).equal(segment_argmax(values.double(), segments))
