"""The loss of imitation against numbers computed by hand."""

from __future__ import annotations

import math

import pytest
import torch

from graphwright.core import Segments
from graphwright.core.segment import segment_log_softmax
from graphwright.functional.imitation import action_loss, agreement, expert_set_loss, soft_target_loss

# Probabilities of three states: of 3, 2 and 1 candidates.
PROBS = torch.tensor([0.5, 0.3, 0.2, 0.9, 0.1, 1.0])
CANDIDATES = Segments(torch.tensor([0, 3, 5, 6]))


def test_the_loss_by_hand() -> None:
    expert = torch.tensor([True, False, True, False, True, False])  # the third state has no expert action
    loss = -(math.log(0.7) + math.log(0.1)) / 2
    assert float(expert_set_loss(PROBS.log(), expert, CANDIDATES)) == pytest.approx(loss)
    assert float(agreement(PROBS.log(), expert, CANDIDATES)) == pytest.approx((0.7 + 0.1) / 2)


def test_with_one_expert_action_it_is_the_cross_entropy() -> None:
    expert = torch.tensor([False, True, False, True, False, True])
    loss = -(math.log(0.3) + math.log(0.9) + 0.0) / 3
    assert float(expert_set_loss(PROBS.log(), expert, CANDIDATES)) == pytest.approx(loss)


def test_where_everything_is_right_there_is_nothing_to_learn() -> None:
    logits = torch.randn(6, requires_grad=True)
    loss = expert_set_loss(segment_log_softmax(logits, CANDIDATES), torch.ones(6, dtype=torch.bool), CANDIDATES)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert logits.grad is not None
    assert logits.grad.abs().max() < 1e-6


def test_what_is_right_in_part_counts_in_part() -> None:
    merit = torch.tensor([1.0, 0.5, 0.0, 0.25, 0.0, 0.0])
    loss = -(math.log(0.5 + 0.5 * 0.3) + math.log(0.25 * 0.9)) / 2
    assert float(expert_set_loss(PROBS.log(), merit, CANDIDATES)) == pytest.approx(loss)
    assert float(agreement(PROBS.log(), merit, CANDIDATES)) == pytest.approx((0.65 + 0.225) / 2)


def test_states_without_advice_and_illegal_candidates_pass_no_gradient() -> None:
    logits = torch.tensor([1.0, 2.0, 3.0, 0.5, -torch.inf, 1.0], requires_grad=True)
    expert = torch.tensor([False, True, False, False, False, False])
    log_probs = segment_log_softmax(logits, CANDIDATES)
    expert_set_loss(log_probs, expert, CANDIDATES).backward()
    probs = torch.tensor([1.0, 2.0, 3.0]).softmax(0)
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad[:3], probs - torch.tensor([0.0, 1.0, 0.0]))
    assert logits.grad[3:].tolist() == [0, 0, 0]


def test_without_any_advice_the_loss_is_0() -> None:
    logits = torch.randn(6, requires_grad=True)
    none = torch.zeros(6, dtype=torch.bool)
    loss = expert_set_loss(segment_log_softmax(logits, CANDIDATES), none, CANDIDATES)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert logits.grad.tolist() == [0] * 6


def test_soft_targets_cost_their_cross_entropy() -> None:
    """Two decisions: p = (1/4, 3/4) under π = (1/2, 1/2), and p = (1, 0, 0) under π = (1/4, 1/4, 1/2)."""
    log_probs = torch.tensor([0.5, 0.5, 0.25, 0.25, 0.5]).log()
    target, candidates = torch.tensor([0.25, 0.75, 1.0, 0.0, 0.0]), Segments.from_lengths(torch.tensor([2, 3]))
    expected = torch.tensor((math.log(2) + math.log(4)) / 2)
    torch.testing.assert_close(soft_target_loss(log_probs, target, candidates), expected)


def test_actions_cost_what_they_lack_in_probability() -> None:
    """−(log 1/2 + log 1/8) / 2 over two decisions; the third had nothing to decide."""
    log_prob = torch.tensor([0.5, 0.125, 1.0]).log()
    loss = action_loss(log_prob, torch.tensor([True, True, False]))
    torch.testing.assert_close(loss, torch.tensor(2 * math.log(2)))
