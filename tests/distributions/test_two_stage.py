"""Source, then destination: a joint distribution whose log-probabilities, draws and entropy agree."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core.segment import Segments, segment_sum
from graphwright.distributions import RaggedCategorical, SourceThenDestination
from graphwright.distributions.two_stage import any_in_row
from strategies import seeded

sizes = st.lists(st.integers(0, 4), max_size=4)


def make(lengths: list[int], seed: int) -> tuple[SourceThenDestination, Tensor]:
    """A distribution over the pairs of each group, a third of which are masked, and the mask of all pairs."""
    generator = seeded(seed)
    segments = Segments.from_lengths(torch.tensor(lengths, dtype=torch.int64))
    pairs = Segments.from_lengths(segments.lengths.square())
    mask = torch.rand(pairs.num_rows, generator=generator) > 1 / 3
    scores = torch.randn(pairs.num_rows, generator=generator)
    source = RaggedCategorical(
        torch.randn(segments.num_rows, generator=generator), segments, any_in_row(mask, segments)
    )

    def destination_given(chosen: Tensor) -> RaggedCategorical:
        place = chosen.clamp(min=0)
        rows = (pairs.ptr[:-1] + place * segments.lengths)[segments.index] + segments.position
        return RaggedCategorical(scores[rows], segments, mask[rows] & (chosen >= 0)[segments.index])

    return SourceThenDestination(source, destination_given), mask


def every_log_prob(distribution: SourceThenDestination, lengths: list[int]) -> list[list[float]]:
    """For each group, the log-probability of every pair."""
    table = [
        distribution.log_prob(torch.tensor([place if place < n * n else -1 for n in lengths])).tolist()
        for place in range(max((n * n for n in lengths), default=0))
    ]
    return [[table[place][group] for place in range(n * n)] for group, n in enumerate(lengths)]


@given(sizes, st.integers(0, 1000))
@settings(deadline=None)
def test_probabilities_of_legal_pairs_sum_to_one(lengths: list[int], seed: int) -> None:
    distribution, mask = make(lengths, seed)
    masks = mask.split([n * n for n in lengths]) if lengths else []
    for row, legal in zip(every_log_prob(distribution, lengths), masks, strict=True):
        if legal.any():
            assert sum(math.exp(value) for value in row) == pytest.approx(1, abs=1e-5)
            assert [value > -math.inf for value in row] == legal.tolist()


@given(sizes, st.integers(0, 1000))
@settings(deadline=None)
def test_draws_are_legal_and_groups_without_a_pair_draw_nothing(lengths: list[int], seed: int) -> None:
    distribution, mask = make(lengths, seed)
    masks = mask.split([n * n for n in lengths]) if lengths else []
    for action in (distribution.sample(seeded(seed)), distribution.mode):
        for place, legal in zip(action.tolist(), masks, strict=True):
            assert (place >= 0) == bool(legal.any())
            assert place < 0 or legal[place]
        assert bool(distribution.log_prob(action)[action < 0].eq(0).all())


def test_frequencies_and_mean_entropy_are_those_of_the_joint_distribution() -> None:
    distribution, _ = make([3, 2], 5)
    expected = every_log_prob(distribution, [3, 2])
    generator = seeded(0)
    draws = torch.stack([distribution.sample(generator) for _ in range(4000)])
    for group, row in enumerate(expected):
        for place, value in enumerate(row):
            frequency = (draws[:, group] == place).double().mean().item()
            assert frequency == pytest.approx(math.exp(value), abs=5 * 0.5 / math.sqrt(4000))
    torch.manual_seed(0)
    estimates = torch.stack([distribution.entropy for _ in range(4000)]).mean(0)
    for group, row in enumerate(expected):
        exact = -sum(math.exp(value) * value for value in row if value > -math.inf)
        assert estimates[group].item() == pytest.approx(exact, abs=0.03)


@given(sizes, st.integers(0, 1000))
def test_any_in_row_counts_destinations(lengths: list[int], seed: int) -> None:
    segments = Segments.from_lengths(torch.tensor(lengths, dtype=torch.int64))
    mask = torch.rand(sum(n * n for n in lengths), generator=seeded(seed)) > 0.7
    expected = [
        bool(square[row].any())
        for square, n in zip(mask.split([n * n for n in lengths]) if lengths else [], lengths, strict=True)
        for square in [square.view(n, n)]
        for row in range(n)
    ]
    assert any_in_row(mask, segments).tolist() == expected
    assert segment_sum(any_in_row(mask, segments), segments).numel() == len(lengths)
