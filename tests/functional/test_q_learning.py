"""Values of actions, by numbers computed by hand; illegal candidates, whatever they hold, change nothing."""

from __future__ import annotations

import math

import pytest
import torch

from graphwright.algorithms.sac import soft_value as soft_value_of_a_policy
from graphwright.core.segment import Segments
from graphwright.distributions import RaggedCategorical
from graphwright.functional.q_learning import centred, discounted, huber, munchausen_bonus, soft_value

INF = math.inf
VALUES, CANDIDATES = torch.tensor([1.0, 4.0, -INF, 2.0, -INF]), Segments.from_lengths(torch.tensor([3, 1, 1, 0]))
"""Decisions with two legal candidates of three, one of one, none of one, and none at all."""


def test_advantages_are_centred_over_what_is_legal() -> None:
    assert centred(VALUES, CANDIDATES).tolist() == [-1.5, 1.5, -INF, 0.0, -INF]


def test_the_soft_value_is_logsumexp_and_nears_the_greatest() -> None:
    expected = 0.5 * math.log(math.exp(2) + math.exp(8))
    torch.testing.assert_close(soft_value(VALUES, CANDIDATES, 0.5), torch.tensor([expected, 2.0, 0.0, 0.0]))
    torch.testing.assert_close(soft_value(VALUES, CANDIDATES, 1e-3), torch.tensor([4.0, 2.0, 0.0, 0.0]))


def test_the_bonus_is_cut_off() -> None:
    assert munchausen_bonus(torch.tensor([-1.0, -8.0, 0.0]), 0.5, least=-1.0).tolist() == [-0.5, -1.0, 0.0]


def test_what_a_policy_expects_with_its_entropy() -> None:
    """π = (¼, ¾): ¼ · 10 + ¾ · 2 + α (¼ ln 4 + ¾ ln 4/3), whatever stands at the illegal candidate."""
    policy = RaggedCategorical(torch.tensor([0.25, 0.75, 0.0]).log(), Segments.from_lengths(torch.tensor([3])))
    entropy = 0.25 * math.log(4) + 0.75 * math.log(4 / 3)
    found = soft_value_of_a_policy(policy, torch.tensor([10.0, 2.0, 1e9]), torch.tensor(0.1))
    torch.testing.assert_close(found, torch.tensor([4.0 + 0.1 * entropy]))


def test_rewards_are_discounted_and_errors_weighed() -> None:
    assert discounted(torch.tensor([[1.0, 2.0, 4.0], [8.0, 0.0, 0.0]]), 0.5).tolist() == [3.0, 8.0]
    error, weight = torch.tensor([0.5, -3.0]), torch.tensor([1.0, 0.5])
    assert float(huber(error, weight)) == pytest.approx((0.125 + 0.5 * 2.5) / 2)


def test_no_gradient_reaches_what_is_illegal() -> None:
    logits = torch.tensor([1.0, -1.0, 0.5], requires_grad=True)
    policy = RaggedCategorical(logits, Segments.from_lengths(torch.tensor([3])), torch.tensor([True, False, True]))
    soft_value_of_a_policy(policy, torch.tensor([1.0, INF, 2.0]), torch.tensor(0.3)).sum().backward()
    assert logits.grad is not None
    assert logits.grad[1] == 0
    assert logits.grad.isfinite().all()
