"""The learning rate falls to zero, and gradients are clipped."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from graphwright.algorithms.optimizer import AnnealedAdam


@pytest.mark.parametrize(("progress", "factor"), [(0.0, 1), (0.25, 0.75), (1.0, 0), (1.5, 0), (-1.0, 1)])
def test_the_learning_rate_falls_linearly(progress: float, factor: float) -> None:
    optimizer = AnnealedAdam(nn.Linear(2, 1), learning_rate=0.1, max_grad_norm=1.0)
    optimizer.anneal(progress)
    assert [group["lr"] for group in optimizer.adam.param_groups] == pytest.approx([0.1 * factor])


def test_the_norm_is_that_before_clipping() -> None:
    module = nn.Linear(2, 1, bias=False)
    optimizer = AnnealedAdam(module, learning_rate=0.1, max_grad_norm=1.0)
    norm = optimizer.step((module.weight * torch.tensor([30.0, 40])).sum())
    assert norm.item() == pytest.approx(50)
    torch.testing.assert_close(module.weight.grad, torch.tensor([[0.6, 0.8]]))


def test_saved_moments_go_on_the_same() -> None:
    torch.manual_seed(0)
    modules = [nn.Linear(3, 1), nn.Linear(3, 1)]
    first, second = (AnnealedAdam(module, learning_rate=0.1, max_grad_norm=1.0) for module in modules)
    x = torch.randn(4, 3)
    first.step(modules[0](x).square().sum())
    modules[1].load_state_dict(modules[0].state_dict())
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for module, optimizer in zip(modules, (first, second), strict=True):
        optimizer.step(module(x).square().sum())
    assert torch.equal(modules[0].weight, modules[1].weight)
