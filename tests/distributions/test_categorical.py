"""One categorical for each group: the numbers of `torch.distributions`, and nothing undefined where none is left."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Categorical, kl_divergence

from graphwright.core import ActionSpec, Segments, from_edges, per_graph, per_node
from graphwright.distributions import RaggedCategorical
from strategies import assert_same, seeded, seeds


@st.composite
def masked_groups(draw: st.DrawFn, scale: float = 10.0) -> tuple[Tensor, Segments, Tensor]:
    """Logits [K] float64, groups and mask [K]; groups without a candidate or without a legal one among them."""
    masks = draw(st.lists(st.lists(st.booleans(), max_size=4), max_size=6))
    lengths = torch.tensor([len(mask) for mask in masks], dtype=torch.int64)
    mask = torch.tensor([legal for group in masks for legal in group], dtype=torch.bool)
    logits = scale * torch.randn(mask.shape, generator=seeded(draw(seeds)), dtype=torch.float64)
    return logits, Segments.from_lengths(lengths), mask


def rows(segments: Segments) -> Iterator[tuple[int, slice]]:
    """Each group's number and its rows."""
    bounds = segments.ptr.tolist()
    return enumerate(slice(begin, end) for begin, end in itertools.pairwise(bounds))


def decided(segments: Segments, mask: Tensor) -> Tensor:
    """[G] bool: the groups without a legal candidate."""
    return torch.tensor([not mask[group].any() for _, group in rows(segments)], dtype=torch.bool)


@given(masked_groups())
def test_probabilities_sum_to_one_and_masked_ones_are_zero(groups: tuple[Tensor, Segments, Tensor]) -> None:
    logits, segments, mask = groups
    probs = RaggedCategorical(logits, segments, mask).probs
    assert (probs[~mask] == 0).all()
    assert ((probs >= 0) & (probs <= 1)).all()
    for _, group in rows(segments):
        assert float(probs[group].sum()) == pytest.approx(float(mask[group].any()))


@given(masked_groups())
def test_each_group_is_a_torch_categorical_over_its_legal_candidates(groups: tuple[Tensor, Segments, Tensor]) -> None:
    logits, segments, mask = groups
    ours = RaggedCategorical(logits, segments, mask)
    for index, group in rows(segments):
        legal = mask[group].nonzero().squeeze(1)
        if legal.numel():
            theirs = Categorical(logits=logits[group][legal])
            torch.testing.assert_close(ours.log_probs[group][legal], theirs.logits)
            torch.testing.assert_close(ours.entropy[index], theirs.entropy())
            assert ours.mode[index] == legal[theirs.probs.argmax()]


@given(masked_groups(), seeds)
def test_divergence_is_that_of_torch_and_zero_from_itself(groups: tuple[Tensor, Segments, Tensor], seed: int) -> None:
    logits, segments, mask = groups
    other = torch.randn(logits.shape, generator=seeded(seed), dtype=logits.dtype)
    ours, changed = RaggedCategorical(logits, segments, mask), RaggedCategorical(other, segments, mask)
    divergence = ours.kl(changed)
    assert (divergence >= -1e-12).all()
    assert (ours.kl(ours) == 0).all()
    for index, group in rows(segments):
        legal = mask[group].nonzero().squeeze(1)
        if legal.numel():
            theirs = (Categorical(logits=logits[group][legal]), Categorical(logits=other[group][legal]))
            torch.testing.assert_close(divergence[index], kl_divergence(*theirs))


@given(masked_groups(), seeds)
def test_draws_are_legal_and_have_their_log_probability(groups: tuple[Tensor, Segments, Tensor], seed: int) -> None:
    logits, segments, mask = groups
    distribution = RaggedCategorical(logits, segments, mask)
    action = distribution.sample(seeded(seed))
    assert_same(action == -1, decided(segments, mask))
    log_prob = distribution.log_prob(action)
    for index, group in rows(segments):
        place = int(action[index])
        assert place == -1 or mask[group][place]
        assert log_prob[index] == (0 if place == -1 else distribution.log_probs[group][place])


@given(masked_groups(), seeds)
def test_gradients_are_those_of_torch_and_zero_where_masked(groups: tuple[Tensor, Segments, Tensor], seed: int) -> None:
    logits, segments, mask = groups
    logits.requires_grad_()
    distribution = RaggedCategorical(logits, segments, mask)
    action = distribution.sample(seeded(seed))
    other = RaggedCategorical(logits.detach() / 2, segments, mask)
    loss = (distribution.log_prob(action) + 3 * distribution.entropy + distribution.kl(other)).sum()
    (gradient,) = torch.autograd.grad(loss, logits)
    expected = torch.zeros_like(gradient)
    for index, group in rows(segments):
        legal = mask[group].nonzero().squeeze(1)
        if legal.numel():
            theirs, half = (Categorical(logits=some[group][legal]) for some in (logits, logits.detach() / 2))
            place = (legal == action[index]).nonzero().squeeze()
            loss = theirs.log_prob(place) + 3 * theirs.entropy() + kl_divergence(theirs, half)
            expected += torch.autograd.grad(loss, logits)[0]
    assert (gradient[~mask] == 0).all()
    torch.testing.assert_close(gradient, expected)


@given(masked_groups(scale=3e3), seeds)
def test_extreme_logits_leave_everything_finite(groups: tuple[Tensor, Segments, Tensor], seed: int) -> None:
    logits, segments, mask = groups[0].float().requires_grad_(), groups[1], groups[2]
    distribution, reverse = RaggedCategorical(logits, segments, mask), RaggedCategorical(-logits, segments, mask)
    parts = [distribution.entropy, distribution.log_prob(distribution.sample(seeded(seed))), distribution.kl(reverse)]
    gradient = torch.autograd.grad(torch.stack(parts).sum(), logits)[0]
    assert all(part.isfinite().all() for part in (*parts, gradient, distribution.log_probs[mask]))


@given(masked_groups())
def test_a_group_without_a_choice_is_decided(groups: tuple[Tensor, Segments, Tensor]) -> None:
    logits, segments, mask = groups
    logits.requires_grad_()
    distribution = RaggedCategorical(logits, segments, mask)
    over = decided(segments, mask)
    action = distribution.sample()
    parts = [distribution.log_prob(action)[over], distribution.entropy[over], distribution.kl(distribution)[over]]
    assert (action[over] == -1).all()
    assert (distribution.mode[over] == -1).all()
    assert all((part == 0).all() for part in parts)
    (gradient,) = torch.autograd.grad(torch.cat(parts).sum() + 0 * logits.sum(), logits)
    assert (gradient == 0).all()


def test_what_a_decided_group_samples_has_log_probability_zero() -> None:
    segments = Segments(torch.tensor([0, 2, 2, 4]))
    mask = torch.tensor([False, False, True, True])
    distribution = RaggedCategorical(torch.tensor([1.0, 2, 0, 0]), segments, mask)
    assert distribution.sample(seeded())[:2].tolist() == [-1, -1]
    torch.testing.assert_close(distribution.log_prob(torch.tensor([-1, -1, 1])), torch.tensor([1, 1, 0.5]).log())


@given(masked_groups())
def test_without_a_mask_every_candidate_is_legal(groups: tuple[Tensor, Segments, Tensor]) -> None:
    logits, segments, mask = groups
    unmasked = RaggedCategorical(logits, segments, torch.ones_like(mask))
    assert_same(RaggedCategorical(logits, segments).log_probs, unmasked.log_probs)


@given(masked_groups())
def test_batching_changes_nothing(groups: tuple[Tensor, Segments, Tensor]) -> None:
    logits, segments, mask = groups
    together = RaggedCategorical(logits, segments, mask)
    for index, group in rows(segments):
        single = Segments(segments.ptr[index : index + 2] - segments.ptr[index])
        apart = RaggedCategorical(logits[group], single, mask[group])
        torch.testing.assert_close(together.log_probs[group], apart.log_probs)
        torch.testing.assert_close(together.entropy[index], apart.entropy[0])
        assert together.mode[index] == apart.mode[0]


def test_draws_are_as_frequent_as_they_are_probable() -> None:
    groups = [torch.tensor([0.5, 0.3, 0.15, 0.05]).log(), torch.tensor([2.0, 50, 1, 0, 1])]  # 50 is masked
    mask = torch.tensor([True] * 4 + [True, False, True, True, True])
    times = 20_000
    single = Segments(torch.tensor([0, 4, 9]))
    segments, candidates = single.select(torch.arange(2).repeat(times))
    distribution = RaggedCategorical(torch.cat(groups)[candidates], segments, mask[candidates])
    draws = distribution.sample(seeded(0)).view(times, 2)
    probs = RaggedCategorical(torch.cat(groups), single, mask).probs
    for group, expected in enumerate(probs.split([4, 5])):
        count = torch.bincount(draws[:, group], minlength=expected.numel())
        possible = expected > 0
        assert count[~possible].sum() == 0
        statistic = ((count - times * expected).square() / (times * expected))[possible].sum()
        assert statistic < 16.27  # of χ² with 3 degrees of freedom: exceeded once in 1000


def test_both_columns_of_all_nodes_share_one_softmax() -> None:
    graph = from_edges(torch.zeros(2, 0), torch.tensor([3, 2]), undirected=True)
    nodes, stop = torch.tensor([[1.0, 2], [3, 4], [5, 6], [7, 8], [9, 0]]), torch.tensor([2.0, 3])
    add = ActionSpec(per_node("add", 2))
    probs = RaggedCategorical(add.arrange(graph, [nodes]), add.segments(graph)).probs
    expected = [torch.tensor([1.0, 2, 3, 4, 5, 6]).softmax(0), torch.tensor([7.0, 8, 9, 0]).softmax(0)]
    torch.testing.assert_close(probs, torch.cat(expected))

    both = ActionSpec(per_node("add", 2), per_graph("stop"))
    log_probs = RaggedCategorical(both.arrange(graph, [nodes, stop]), both.segments(graph)).log_probs
    expected = [torch.tensor([1.0, 2, 3, 4, 5, 6, 2]).log_softmax(0), torch.tensor([7.0, 8, 9, 0, 3]).log_softmax(0)]
    torch.testing.assert_close(log_probs, torch.cat(expected))
