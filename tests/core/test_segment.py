"""Segment operations equal a loop over the groups, empty groups and groups of -inf included."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core.segment import (
    Segments,
    lexsort,
    segment_argmax,
    segment_log_softmax,
    segment_logsumexp,
    segment_max,
    segment_mean,
    segment_rank,
    segment_sample,
    segment_sum,
    segment_topk,
)
from strategies import assert_same, seeded, seeds, some_of

INF = float("inf")
Groups = tuple[Tensor, Segments]
finite = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(-30, 30))


@st.composite
def grouped(draw: st.DrawFn, *, masked: bool) -> Groups:
    """Values [M] float64 in up to 6 groups of up to 4, with ties; `masked`: with -inf, and groups of nothing else."""
    lengths = draw(st.lists(st.integers(0, 4), max_size=6))
    values: list[float] = []
    for length in lengths:
        low = st.just(-INF)
        cell = draw(st.sampled_from([finite, finite | low, low])) if masked else finite
        values += draw(st.lists(cell, min_size=length, max_size=length))
    segments = Segments.from_lengths(torch.tensor(lengths, dtype=torch.int64))
    return torch.tensor(values, dtype=torch.float64), segments


def loop(function: Callable[[Tensor], Tensor], values: Tensor, segments: Segments) -> list[Tensor]:
    """`function` of each group's values, one group after the other."""
    bounds = segments.ptr.tolist()
    return [function(values[begin:end]) for begin, end in itertools.pairwise(bounds)]


def legal(group: Tensor) -> Tensor:
    return group[group > -INF]


def logsumexp(group: Tensor) -> Tensor:
    return legal(group).logsumexp(0) if legal(group).numel() else group.new_tensor(-INF)


def log_softmax(group: Tensor) -> Tensor:
    out = torch.full_like(group, -INF)
    return out.masked_scatter(group > -INF, legal(group).log_softmax(0)) if legal(group).numel() else out


REDUCTIONS = {
    "sum": (segment_sum, lambda group: group.sum(0)),
    "mean": (segment_mean, lambda group: group.mean(0) if len(group) else torch.zeros(group.shape[1:]).double()),
    "max": (segment_max, lambda group: group.amax(0) if len(group) else torch.zeros(group.shape[1:]).double()),
}


def assert_same_gradient(left: Tensor, right: Tensor, values: Tensor) -> None:
    """The finite entries of both have the same, finite, gradient by `values`."""
    weight = torch.linspace(0.5, 2, left.numel(), dtype=left.dtype)
    chosen = left > -INF
    gradients = []
    for result in (left, right):
        loss = (result[chosen] * weight[chosen]).sum() + 0 * values.sum().nan_to_num(neginf=0)
        gradients += torch.autograd.grad(loss, values)
        assert gradients[-1].isfinite().all()
    torch.testing.assert_close(*gradients)


def joined(function: Callable[[Tensor], Tensor], values: Tensor, segments: Segments) -> Tensor:
    """What the loop gives, in one row."""
    return torch.cat([values.new_zeros(0), *(part.reshape(-1) for part in loop(function, values, segments))])


@pytest.mark.parametrize("name", REDUCTIONS)
@given(groups=grouped(masked=False))
def test_reductions_and_their_gradients_equal_a_loop(name: str, groups: Groups) -> None:
    reduce, reference = REDUCTIONS[name]
    values, segments = groups
    values.requires_grad_()
    result = reduce(values, segments)
    expected = joined(reference, values, segments)
    torch.testing.assert_close(result, expected)
    assert_same_gradient(result, expected, values)


@pytest.mark.parametrize("name", REDUCTIONS)
@given(groups=grouped(masked=False))
def test_reductions_treat_the_further_dimensions_apart(name: str, groups: Groups) -> None:
    reduce, reference = REDUCTIONS[name]
    values, segments = groups
    values = torch.stack([values, -values, values.roll(1)], dim=1).view(-1, 3, 1)
    result = reduce(values, segments)
    assert result.shape == (segments.num_groups, 3, 1)
    torch.testing.assert_close(result.view(-1), joined(reference, values, segments))


@given(grouped(masked=True))
def test_logsumexp_and_its_gradient_equal_a_loop(groups: Groups) -> None:
    values, segments = groups
    values.requires_grad_()
    result = segment_logsumexp(values, segments)
    expected = joined(logsumexp, values, segments)
    torch.testing.assert_close(result, expected)
    assert_same_gradient(result, expected, values)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@given(groups=grouped(masked=True))
def test_log_softmax_and_its_gradient_equal_a_loop(dtype: torch.dtype, groups: Groups) -> None:
    """Plain torch, and the kernel."""
    values, segments = groups[0].to(dtype), groups[1]
    values.requires_grad_()
    result = segment_log_softmax(values, segments)
    expected = joined(log_softmax, values, segments)
    torch.testing.assert_close(result, expected)
    assert_same_gradient(result, expected, values)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@given(groups=grouped(masked=True))
def test_what_is_masked_passes_no_gradient_back(dtype: torch.dtype, groups: Groups) -> None:
    values, segments = groups[0].to(dtype).requires_grad_(), groups[1]
    log_probs = segment_log_softmax(values, segments)
    (grad,) = torch.autograd.grad(log_probs, values, torch.linspace(1, 2, values.numel(), dtype=dtype))
    assert bool((grad[values == -INF] == 0).all())


@given(grouped(masked=True))
def test_argmax_is_the_first_largest_of_each_group(groups: Groups) -> None:
    values, segments = groups
    expected = [
        group.tolist().index(max(group)) if legal(group).numel() else -1 for group in loop(torch.clone, *groups)
    ]
    assert segment_argmax(values, segments).tolist() == expected


@given(grouped(masked=True), st.integers(1, 5))
def test_topk_is_the_head_of_each_sorted_group(groups: Groups, k: int) -> None:
    values, segments = groups
    expected = []
    for group in loop(Tensor.tolist, values, segments):
        order = sorted(range(len(group)), key=lambda place, group=group: -group[place])[:k]
        expected.append(order + [-1] * (k - len(order)))
    result = segment_topk(values, segments, k)
    assert result.shape == (segments.num_groups, k)
    assert result.tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)), max_size=12))
def test_rows_are_sorted_by_the_last_key_first_and_equal_ones_stay_in_order(rows: list[tuple[int, int, int]]) -> None:
    keys = torch.tensor(rows, dtype=torch.int64).reshape(-1, 3).T
    assert lexsort(*keys).tolist() == sorted(range(len(rows)), key=lambda row: rows[row][::-1])


@given(grouped(masked=True))
def test_the_rank_of_a_value_is_its_place_in_its_group_sorted(groups: Groups) -> None:
    values, segments = groups
    expected = [group.argsort(stable=True).argsort() for group in loop(torch.clone, values, segments)]
    assert_same(segment_rank(values, segments), torch.cat([torch.empty(0, dtype=torch.int64), *expected]))


@given(grouped(masked=True), seeds)
def test_a_draw_is_legal_and_the_same_for_the_same_seed(groups: Groups, seed: int) -> None:
    values, segments = groups
    draw = segment_sample(values, segments, seeded(seed))
    assert_same(draw, segment_sample(values, segments, seeded(seed)))
    for place, group in zip(draw.tolist(), loop(torch.clone, values, segments), strict=True):
        assert (place == -1) == (not legal(group).numel())
        assert place == -1 or group[place] > -INF


@given(grouped(masked=True), seeds, st.data())
def test_groups_that_are_drawn_from_uniformly_are_drawn_as_if_all_were_alike(
    groups: Groups, seed: int, data: st.DataObject
) -> None:
    values, segments = groups
    count = segments.num_groups
    uniform = torch.tensor(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)), dtype=torch.bool)
    alike = values.masked_fill(uniform[segments.index] & (values > -INF), 0)
    for logits, same in ((values, alike), (values.float(), alike.float())):  # by torch, and by the kernel
        draw = segment_sample(logits, segments, seeded(seed), uniform)
        assert_same(draw, segment_sample(same, segments, seeded(seed)))


@given(grouped(masked=True), st.data())
def test_selected_groups_are_those_groups(groups: Groups, data: st.DataObject) -> None:
    values, segments = groups
    index = data.draw(some_of(segments.num_groups))
    chosen, rows = segments.select(torch.tensor(index, dtype=torch.int64))
    before, after = loop(Tensor.tolist, values, segments), loop(Tensor.tolist, values[rows], chosen)
    assert after == [before[group] for group in index]


@given(grouped(masked=False))
def test_rows_know_their_group_and_their_place(groups: Groups) -> None:
    segments = groups[1]
    lengths = segments.lengths.tolist()
    assert segments.index.tolist() == [group for group, length in enumerate(lengths) for _ in range(length)]
    assert segments.position.tolist() == [place for length in lengths for place in range(length)]
    assert (segments.num_groups, segments.num_rows) == (len(lengths), sum(lengths))
    assert_same(Segments(segments.ptr).lengths, segments.lengths)


def test_values_known_by_hand() -> None:
    segments = Segments(torch.tensor([0, 2, 2, 5]))
    values = torch.tensor([3.0, 1, 2, 2, -5])
    assert segment_sum(values, segments).tolist() == [4, 0, -1]
    assert segment_sum(values > 1, segments).tolist() == [1, 0, 2]
    assert segment_mean(values, segments).tolist() == pytest.approx([2, 0, -1 / 3])
    assert segment_max(values, segments, empty=-7).tolist() == [3, -7, 2]
    assert segment_argmax(values, segments).tolist() == [0, -1, 0]
    assert segment_topk(values, segments, 2).tolist() == [[0, 1], [-1, -1], [0, 1]]


def test_equal_maxima_share_the_gradient() -> None:
    values = torch.tensor([2.0, 2, 1], requires_grad=True)
    segment_max(values, Segments(torch.tensor([0, 3]))).sum().backward()
    assert values.grad.tolist() == [0.5, 0.5, 0]


def test_large_values_do_not_overflow() -> None:
    values = torch.tensor([1e4, 1e4, -1e4, -1e4])
    segments = Segments(torch.tensor([0, 2, 4]))
    torch.testing.assert_close(segment_logsumexp(values, segments), torch.tensor([1e4, -1e4]) + torch.tensor(2.0).log())


@given(grouped(masked=True), st.sampled_from([0.0, 1e2, -1e4]))
def test_a_shift_of_all_logits_changes_no_log_probability(groups: Groups, shift: float) -> None:
    values, segments = groups[0].round().float(), groups[1]
    torch.testing.assert_close(segment_log_softmax(values + shift, segments), segment_log_softmax(values, segments))
