"""Draws of ragged groups by a uniform number."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from graphwright.core.kernels.draws import drawn, drawn_true
from graphwright.core.segment import Segments, segment_sample
from strategies import seeded

EVEN = 4096
cells = st.one_of(st.floats(-30, 30, width=32), st.just(-float("inf")))


def even(size: int) -> torch.Tensor:
    """Numbers in [0, 1) that are equally far from each other, so that shares are probabilities but for one draw."""
    return (torch.arange(size, dtype=torch.float64) + 0.5) / size


def repeated(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """EVEN groups of the same `values`, and where they begin."""
    return values.repeat(EVEN), Segments.from_lengths(torch.full((EVEN,), values.numel())).ptr


@given(st.lists(cells, min_size=1, max_size=7).filter(lambda row: max(row) > -float("inf")))
def test_even_numbers_draw_in_the_shares_of_the_softmax(row: list[float]) -> None:
    logits = torch.tensor(row)
    count = torch.bincount(drawn(*repeated(logits), even(EVEN)), minlength=len(row))
    assert (count - EVEN * logits.double().softmax(0)).abs().max() <= 1.01
    assert not count[logits == -torch.inf].any()


@given(st.lists(cells, min_size=1, max_size=7).filter(lambda row: max(row) > -float("inf")))
def test_even_numbers_draw_what_is_legal_alike_often_where_that_is_asked_for(row: list[float]) -> None:
    logits = torch.tensor(row)
    count = torch.bincount(drawn(*repeated(logits), even(EVEN), torch.ones(EVEN, dtype=torch.bool)), minlength=len(row))
    legal = logits > -torch.inf
    assert (count - EVEN * legal / legal.sum()).abs().max() <= 1.01


def test_the_first_row_up_to_which_probabilities_add_up_to_more_than_the_number() -> None:
    logits = torch.tensor([1.0, 2.0, 0.0, 1.0]).log().repeat(5)  # 1/4, 1/2, 0, 1/4
    number = torch.tensor([0.0, 0.2499, 0.2501, 0.7499, 0.9999], dtype=torch.float64)
    assert drawn(logits, torch.arange(0, 21, 4), number).tolist() == [0, 0, 1, 1, 3]


def test_nothing_is_drawn_of_what_is_empty_or_all_illegal_and_the_infinite_wins() -> None:
    far = float("inf")
    logits = torch.tensor([-far, -far, 3.0, far, -far, float("nan"), 0.0])
    ptr = torch.tensor([0, 0, 2, 5, 7])
    assert drawn(logits, ptr, torch.full((4,), 0.99, dtype=torch.float64)).tolist() == [-1, -1, 1, 1]


@given(st.lists(st.booleans(), min_size=1, max_size=6))
def test_even_numbers_draw_each_true_row_alike_often(row: list[bool]) -> None:
    mask = torch.tensor(row)
    found = drawn_true(*repeated(mask), even(EVEN))
    if not any(row):
        assert (found == -1).all()
        return
    assert (torch.bincount(found, minlength=len(row)) - EVEN * mask / mask.sum()).abs().max() <= 1.01


@given(st.lists(st.integers(0, 4), max_size=6), st.integers(0, 2**31))
def test_groups_are_drawn_from_one_by_one(lengths: list[int], seed: int) -> None:
    ptr, generator = Segments.from_lengths(torch.tensor(lengths, dtype=torch.int64)).ptr, seeded(seed)
    logits = torch.randn(sum(lengths), generator=generator)
    number = torch.rand(len(lengths), generator=generator, dtype=torch.float64)
    alone = [
        int(drawn(logits[ptr[g] : ptr[g + 1]], torch.tensor([0, length]), number[g : g + 1]))
        for g, length in enumerate(lengths)
    ]
    assert drawn(logits, ptr, number).tolist() == alone


def test_draws_are_made_where_the_logits_are_and_take_no_gradient() -> None:
    logits = torch.tensor([0.0, -torch.inf, 0.0, 1.0, -torch.inf, 2.0], requires_grad=True)
    segments = Segments(torch.tensor([0, 2, 2, 6]))
    alone = segment_sample(logits, segments, seeded(3))
    with torch.device("meta"):  # the default device of who calls
        assert segment_sample(logits, segments, seeded(3)).tolist() == alone.tolist()
    apart = torch.stack([logits.detach(), torch.full((6,), torch.nan)], 1)[:, 0]
    assert segment_sample(apart, segments, seeded(3)).tolist() == alone.tolist()
    assert not alone.requires_grad
