"""Straight-through draws: one-hot, of the right frequencies, with the gradient of the softmax they stand for."""

from __future__ import annotations

import torch

from graphwright.core.segment import Segments
from graphwright.functional.relaxed import one_hot, straight_through
from strategies import seeded

CANDIDATES = Segments.from_lengths(torch.tensor([3, 0, 2, 1]))
LOGITS = torch.tensor([0.3, -0.2, -torch.inf, 1.0, 0.0, -torch.inf])


def test_one_hot_by_hand() -> None:
    assert one_hot(torch.tensor([2, -1, 0, -1]), CANDIDATES).tolist() == [0, 0, 1, 1, 0, 0]


def test_draws_are_those_of_the_softmax() -> None:
    total = sum(straight_through(LOGITS, CANDIDATES, 0.7, seeded(seed)) for seed in range(2000)) / 2000
    expected = torch.cat([LOGITS[:3].softmax(0), LOGITS[3:5].softmax(0), torch.zeros(1)])
    torch.testing.assert_close(total, expected, rtol=0, atol=0.04)


def test_the_gradient_is_that_of_the_relaxed_draw() -> None:
    logits = LOGITS.clone().requires_grad_()
    weight = torch.tensor([1.0, 2, 3, 4, 5, 6])
    found = straight_through(logits, CANDIDATES, 0.7, seeded())
    assert set(found.detach().round(decimals=4).abs().tolist()) == {0.0, 1.0}
    (gradient,) = torch.autograd.grad((found * weight).sum(), logits)
    noise = -torch.empty(6).exponential_(generator=seeded()).log()
    for rows in ([0, 1], [3, 4]):
        part = LOGITS[rows].clone().requires_grad_()
        (expected,) = torch.autograd.grad((((part + noise[rows]) / 0.7).softmax(0) * weight[rows]).sum(), part)
        torch.testing.assert_close(gradient[rows], expected)
    assert gradient[[2, 5]].tolist() == [0, 0]
