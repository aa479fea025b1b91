"""Squashed Gaussians: against torch's transformed distribution, quadrature and draws; masks."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, Normal, TransformedDistribution
from torch.distributions.transforms import TanhTransform

from graphwright.distributions import SquashedGaussian
from strategies import seeded

ACTS = torch.tensor([True, False, True, True, False, False, False, False])
CASES = [(mean, scale) for mean in (0.0, -0.7, 2.5) for scale in (0.05, 0.6, 1.5)]


def ragged(columns: int = 2, *, dtype: torch.dtype = torch.float64) -> SquashedGaussian:
    generator = seeded(3)
    mean = torch.randn(8, columns, generator=generator, dtype=dtype).requires_grad_()
    scale = (0.2 + torch.rand(8, columns, generator=generator, dtype=dtype)).requires_grad_()
    return SquashedGaussian(mean, scale, ACTS)


def single(mean: float, scale: float, dtype: torch.dtype = torch.float64) -> SquashedGaussian:
    """One decision with one component."""
    columns = (torch.tensor([[value]], dtype=dtype) for value in (mean, scale))
    return SquashedGaussian(*columns, torch.tensor([True]))


def each_alone(mean: float, scale: float, actions: Tensor) -> SquashedGaussian:
    """The same distribution once for each of `actions` [M]."""
    columns = (torch.full((len(actions), 1), value, dtype=actions.dtype) for value in (mean, scale))
    return SquashedGaussian(*columns, torch.ones(len(actions), dtype=torch.bool))


def reference(gaussian: SquashedGaussian) -> Independent:
    """torch's, [N] distributions over [D]."""
    normal = Normal(gaussian.mean.detach(), gaussian.scale.detach())
    return Independent(TransformedDistribution(normal, [TanhTransform()]), 1)


def test_the_log_density_is_that_of_torch() -> None:
    gaussian = ragged()
    action = gaussian.sample(seeded(1)).detach()
    expected = reference(gaussian).log_prob(action).masked_fill(~ACTS, 0)
    torch.testing.assert_close(gaussian.log_prob(action).detach(), expected)


@pytest.mark.parametrize(("mean", "scale"), CASES)
def test_single_precision_follows_double_precision(mean: float, scale: float) -> None:
    action = each_alone(mean, scale, torch.zeros(2000)).sample(seeded())[:, 0]
    single_precision = each_alone(mean, scale, action).log_prob(action.unsqueeze(1))
    exact = each_alone(mean, scale, action.double()).log_prob(action.double().unsqueeze(1))
    torch.testing.assert_close(single_precision.double(), exact, rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize(("mean", "scale"), CASES)
def test_the_density_integrates_to_one(mean: float, scale: float) -> None:
    # a = tanh u with u on a fine grid: da = (1 - a^2) du; beyond |u| = 7.25 actions are clamped.
    raw = torch.linspace(-7.2, 7.2, 40_001, dtype=torch.float64)
    action = raw.tanh()
    density = each_alone(mean, scale, action).log_prob(action.unsqueeze(1)).exp()
    assert torch.trapezoid(density, action).item() == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize(("mean", "scale"), CASES)
def test_the_entropy_is_the_mean_surprise_of_draws(mean: float, scale: float) -> None:
    draws = each_alone(mean, scale, torch.zeros(200_000, dtype=torch.float64))
    surprise = -draws.log_prob(draws.sample(seeded(7)))
    error = surprise.std() / math.sqrt(len(surprise))
    assert single(mean, scale).entropy.item() == pytest.approx(surprise.mean().item(), abs=5 * error.item() + 1e-4)


def test_the_entropy_of_a_narrow_gaussian_is_known() -> None:
    # Where tanh is nearly linear around 0, the entropy is the Gaussian's.
    assert single(0.0, 1e-3).entropy.item() == pytest.approx(
        0.5 * math.log(2 * math.pi * math.e) + math.log(1e-3), abs=1e-5
    )


def test_the_entropy_is_the_sum_over_components() -> None:
    gaussian = ragged()
    expected = [
        sum(single(mean, scale).entropy.item() for mean, scale in zip(means, scales, strict=True)) * bool(acts)
        for means, scales, acts in zip(gaussian.mean.tolist(), gaussian.scale.tolist(), ACTS.tolist(), strict=True)
    ]
    assert gaussian.entropy.tolist() == pytest.approx(expected, abs=1e-10)


def test_draws_have_the_distribution() -> None:
    draws = each_alone(0.4, 0.8, torch.zeros(100_000)).sample(seeded(2))[:, 0]
    for level in (-0.9, -0.3, 0.2, 0.8):
        share = Normal(0.4, 0.8).cdf(torch.tensor(math.atanh(level))).item()
        assert (draws <= level).float().mean().item() == pytest.approx(share, abs=0.008)


def test_the_mode_is_the_median_of_draws() -> None:
    gaussian = each_alone(0.4, 0.8, torch.zeros(100_000))
    assert gaussian.mode[0].item() == pytest.approx(math.tanh(0.4), abs=1e-6)
    assert gaussian.sample(seeded(2)).median().item() == pytest.approx(math.tanh(0.4), abs=0.01)


def test_decisions_in_which_nothing_is_done_give_zero_and_count_for_nothing() -> None:
    gaussian = ragged()
    drawn = gaussian.sample(seeded())
    assert drawn[~ACTS].count_nonzero() == 0
    assert gaussian.mode[~ACTS].count_nonzero() == 0
    assert drawn[ACTS].abs().min() > 0
    changed = torch.where(ACTS.unsqueeze(1), drawn, 0.9).detach()
    assert torch.equal(gaussian.log_prob(changed), gaussian.log_prob(drawn.detach()))
    (gaussian.log_prob(changed).sum() + gaussian.entropy.sum()).backward()
    for parameter in (gaussian.mean, gaussian.scale):
        assert parameter.grad is not None
        assert parameter.grad[~ACTS].count_nonzero() == 0
        assert parameter.grad[ACTS].abs().min() > 0


def test_actions_stay_inside_and_their_densities_finite() -> None:
    for mean in (-50.0, 0.0, 50.0):
        for scale in (math.exp(-5), math.exp(2)):
            gaussian = each_alone(mean, scale, torch.zeros(1000))
            action = gaussian.sample(seeded())
            assert action.abs().max() < 1
            assert gaussian.log_prob(action).isfinite().all()
            assert gaussian.entropy.isfinite().all()


def test_the_same_seed_gives_the_same_draw() -> None:
    gaussian = ragged(dtype=torch.float32)
    assert torch.equal(gaussian.sample(seeded(5)), gaussian.sample(seeded(5)))
    assert not torch.equal(gaussian.sample(seeded(5)), gaussian.sample(seeded(6)))


def test_no_decision_gives_empty_results() -> None:
    nothing = SquashedGaussian(torch.zeros(0, 2), torch.ones(0, 2), torch.zeros(0, dtype=torch.bool))
    assert nothing.sample(seeded()).shape == nothing.mode.shape == (0, 2)
    assert nothing.log_prob(torch.zeros(0, 2)).tolist() == nothing.entropy.tolist() == []
