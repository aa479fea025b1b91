"""Trust regions: divergences against torch, a line search that keeps its bound, a penalty that holds back."""

from __future__ import annotations

import copy

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from environments import small_actor_critic
from graphwright.algorithms.a2c import A2C, A2CConfig
from graphwright.algorithms.trust_region import Anchor, TrustRegionConfig, states_of
from graphwright.core.segment import Segments
from graphwright.data.rollout import Rollout
from graphwright.data.sources import GeneratedInstances
from graphwright.distributions import RaggedCategorical, SquashedGaussian
from graphwright.envs.queueing.conflict_graph.problem import CONFLICT_GRAPH
from graphwright.envs.vector import VectorEnvironment
from graphwright.nn import ActorCritic
from graphwright.training.collectors.steps import collect_steps
from strategies import seeded

ENVIRONMENT = CONFLICT_GRAPH.environment


def collected(policy: ActorCritic) -> Rollout:
    vector = VectorEnvironment(ENVIRONMENT, GeneratedInstances(CONFLICT_GRAPH.generator(None, (4, 5)), 0), 8)
    return collect_steps(vector, policy, 8, seeded())


def learned(config: TrustRegionConfig, updates: int = 3) -> tuple[ActorCritic, ActorCritic, Rollout, float]:
    """The policy before and after some large updates, what they learned from, and the divergence that was said."""
    policy = small_actor_critic(ENVIRONMENT)
    start = copy.deepcopy(policy)
    rollout = collected(policy)
    algorithm = A2C(policy, ENVIRONMENT.observe, A2CConfig(learning_rate=0.05, minibatch_size=16), seeded())
    algorithm.anchor = Anchor(copy.deepcopy(start), config)
    for _ in range(updates):
        said = algorithm.learn(rollout, 0.0)["divergence"]
    return start, policy, rollout, float(said)


def divergence(start: ActorCritic, policy: ActorCritic, rollout: Rollout) -> float:
    """Σ p log (p / q) of every decision, by a loop over the candidates of all."""
    seen = ENVIRONMENT.observe(states_of(rollout))
    with torch.no_grad():
        p, q = (each.distribution(seen) for each in (start, policy))
    terms = [a * (a / b).log() if a > 0 else a for a, b in zip(p.probs, q.probs, strict=True)]
    return float(sum(terms)) / p.segments.num_groups


def test_a_line_search_ends_within_the_bound() -> None:
    free = learned(TrustRegionConfig(kind="penalty", weight=0.0))
    assert divergence(*free[:3]) > 0.02
    held = learned(TrustRegionConfig(kind="line-search", kl=0.01))
    assert 0 < divergence(*held[:3]) <= 0.0101
    assert held[3] == pytest.approx(divergence(*held[:3]), abs=1e-4)


def test_a_line_search_without_room_goes_nowhere() -> None:
    start, policy, _, _ = learned(TrustRegionConfig(kind="line-search", kl=0.0), updates=1)
    for old, new in zip(start.parameters(), policy.parameters(), strict=True):
        torch.testing.assert_close(old, new)


def test_a_penalty_keeps_the_policy_near() -> None:
    free, held = (learned(TrustRegionConfig(kind="penalty", weight=weight)) for weight in (0.0, 100.0))
    assert divergence(*held[:3]) < 0.2 * divergence(*free[:3])


def test_the_divergence_of_squashed_gaussians_is_that_of_gaussians() -> None:
    mean, scale = torch.randn(2, 3, 2, generator=seeded()), torch.rand(2, 3, 2, generator=seeded()) + 0.1
    acts = torch.tensor([True, True, False])
    ours = SquashedGaussian(mean[0], scale[0], acts).kl(SquashedGaussian(mean[1], scale[1], acts))
    theirs = kl_divergence(Normal(mean[0], scale[0]), Normal(mean[1], scale[1])).sum(1) * acts
    torch.testing.assert_close(ours, theirs)


def test_discrepancies_are_those_of_sums_over_actions_and_of_draws() -> None:
    """Of categoricals Σ (p − q)², of Gaussians the mean kernel of draws; 0 of a distribution and itself."""
    logits = torch.randn(2, 5, generator=seeded())
    groups = Segments.from_lengths(torch.tensor([2, 0, 3]))
    p, q = (RaggedCategorical(each, groups) for each in logits)
    apart = (p.probs - q.probs).square()
    torch.testing.assert_close(p.mmd(q), torch.stack([apart[:2].sum(), torch.zeros(()), apart[2:].sum()]))
    mean, scale = torch.randn(2, 3, 2, generator=seeded()), torch.rand(2, 3, 2, generator=seeded()) + 0.1
    acts = torch.tensor([True, True, False])
    ours = [SquashedGaussian(mean[k], scale[k], acts) for k in (0, 1)]
    draws = [mean[k] + scale[k] * torch.randn(2, 20_000, 3, 2, generator=seeded(k)) for k in (0, 1)]
    kernel = [[(-0.5 * (a[0] - b[1]).square().sum(2)).exp().mean(0) for b in draws] for a in draws]
    sampled = kernel[0][0] + kernel[1][1] - 2 * kernel[0][1]
    torch.testing.assert_close(ours[0].mmd(ours[1]), sampled * acts, atol=0.02, rtol=0)
    assert ours[0].mmd(ours[0]).abs().max() < 1e-6


def test_a_discrepancy_keeps_the_policy_near() -> None:
    free, held = (learned(TrustRegionConfig(kind="mmd", weight=weight)) for weight in (0.0, 100.0))
    assert divergence(*held[:3]) < 0.2 * divergence(*free[:3])
