"""Losses of value functions, by hand."""

from __future__ import annotations

import torch

from graphwright.functional.value import explained_variance, squared_error


def test_half_the_mean_squared_error() -> None:
    value = torch.tensor([1.0, 2, 3], requires_grad=True)
    loss = squared_error(value, torch.tensor([1.0, 4, 0]))
    torch.testing.assert_close(loss.item(), (0 + 4 + 9) / 6, rtol=1e-6, atol=0)
    loss.backward()
    torch.testing.assert_close(value.grad, torch.tensor([0, -2, 3]) / 3)


def test_a_perfect_value_explains_all_and_a_constant_nothing() -> None:
    target = torch.tensor([1.0, 2, 3, 6])
    assert explained_variance(target, target) == 1
    assert explained_variance(torch.full((4,), 7.0), target) == 0
    assert explained_variance(target + 5, target) == 1  # a constant error leaves no variance
    torch.testing.assert_close(explained_variance(torch.tensor([1.0, 2, 3, 2]), target), torch.tensor(1 - 3 / 3.5))


def test_a_constant_target_has_nothing_to_explain() -> None:
    assert explained_variance(torch.tensor([1.0, 2]), torch.tensor([3.0, 3])) == 0
    assert explained_variance(torch.tensor([1.0]), torch.tensor([3.0])) == 0
