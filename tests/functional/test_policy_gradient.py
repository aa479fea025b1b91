"""Losses equal the sum over samples that defines them."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphwright.functional.policy_gradient import (
    approximate_kl,
    clipped_surrogate_loss,
    score_function_loss,
    standardize,
)
from graphwright.functional.returns import group_advantage
from strategies import seeded, seeds


@st.composite
def samples(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor]:
    """log_prob, old_log_prob and advantage, [M] float64 each."""
    return tuple(torch.randn(3, draw(st.integers(1, 10)), generator=seeded(draw(seeds)), dtype=torch.float64))


@given(samples(), st.sampled_from([0.1, 0.2, 0.5]))
def test_the_clipped_surrogate_is_the_mean_over_samples(samples: tuple[Tensor, Tensor, Tensor], clip: float) -> None:
    total = 0.0
    for log_prob, old_log_prob, advantage in torch.stack(samples, dim=1).tolist():
        ratio = math.exp(log_prob - old_log_prob)
        total += min(ratio * advantage, min(max(ratio, 1 - clip), 1 + clip) * advantage)
    assert float(clipped_surrogate_loss(*samples, clip)) == pytest.approx(-total / samples[0].numel())


@given(samples(), st.sampled_from([0.1, 0.2, 0.5]))
def test_a_sample_that_has_moved_far_has_no_gradient(samples: tuple[Tensor, Tensor, Tensor], clip: float) -> None:
    log_prob, old_log_prob, advantage = samples
    log_prob.requires_grad_()
    (gradient,) = torch.autograd.grad(clipped_surrogate_loss(log_prob, old_log_prob, advantage, clip), log_prob)
    ratio = (log_prob - old_log_prob).exp().detach()
    far = ((advantage > 0) & (ratio > 1 + clip)) | ((advantage < 0) & (ratio < 1 - clip))
    torch.testing.assert_close(gradient, torch.where(far, 0, -ratio * advantage / log_prob.numel()))


@given(samples())
def test_the_score_function_weighs_each_log_probability(samples: tuple[Tensor, Tensor, Tensor]) -> None:
    log_prob, _, advantage = samples
    expected = -sum(a * p for a, p in zip(advantage.tolist(), log_prob.tolist(), strict=True)) / log_prob.numel()
    assert float(score_function_loss(log_prob, advantage)) == pytest.approx(expected)


@given(samples())
def test_the_estimated_divergence_is_never_negative(samples: tuple[Tensor, Tensor, Tensor]) -> None:
    log_prob, old_log_prob, _ = samples
    ratios = [math.exp(p - q) for p, q in zip(log_prob.tolist(), old_log_prob.tolist(), strict=True)]
    expected = sum(ratio - 1 - math.log(ratio) for ratio in ratios) / len(ratios)
    assert float(approximate_kl(log_prob, old_log_prob)) == pytest.approx(expected)
    assert float(approximate_kl(log_prob, old_log_prob)) >= 0
    assert float(approximate_kl(log_prob, log_prob)) == 0


def test_the_estimated_divergence_is_unbiased() -> None:
    old, new = torch.tensor([0.2, 0.3, 0.5]), torch.tensor([0.4, 0.35, 0.25])
    each = torch.stack([approximate_kl(q, p) for q, p in zip(new.log(), old.log(), strict=True)])
    torch.testing.assert_close((old * each).sum(), (old * (old / new).log()).sum())


@given(st.integers(2, 50), seeds, st.sampled_from([1e-3, 1.0, 1e3]))
def test_standardized_advantages_have_mean_0_and_deviation_1(count: int, seed: int, scale: float) -> None:
    advantage = standardize(scale * torch.randn(count, generator=seeded(seed), dtype=torch.float64) + 5)
    assert float(advantage.mean()) == pytest.approx(0, abs=1e-9)
    assert float(advantage.std(correction=0)) == pytest.approx(1, rel=1e-3)


@given(st.integers(1, 50), st.floats(-1e3, 1e3, width=32))
def test_advantages_that_are_all_alike_are_0(count: int, value: float) -> None:
    assert standardize(torch.full((count,), value)).abs().max() < 1e-3


@given(st.integers(2, 20), st.floats(-1e3, 1e3, width=32))
def test_episodes_that_all_end_alike_teach_nothing(repeats: int, value: float) -> None:
    returns = torch.tensor([[value] * repeats, [0.3] * repeats])
    assert standardize(group_advantage(returns).flatten()).abs().max() < 1e-3
