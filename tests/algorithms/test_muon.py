"""Steps of matrices have the singular vectors of the momentum, and singular values near 1; a saved run goes on."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from graphwright.algorithms.muon import AnnealedMuon, orthogonalised


@pytest.mark.parametrize("shape", [(16, 16), (48, 16), (16, 40)])
def test_matrices_are_orthogonalised(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    matrices = [torch.randn(shape) * 3.0, torch.randn(shape), torch.randn(shape[::-1])]
    for matrix, step in zip(matrices, orthogonalised(matrices), strict=True):
        assert step.shape == matrix.shape
        left, _, right = torch.linalg.svd(matrix, full_matrices=False)
        inside = left.T @ step @ right.T
        values = inside.diagonal()
        assert 0.6 < float(values.min()) <= float(values.max()) < 1.3
        torch.testing.assert_close(inside, values.diag(), atol=1e-4, rtol=0)


def test_the_first_step_is_as_long_as_its_rate_and_small_ones_are_adams() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(16, 64), nn.Linear(64, 3))
    before = copy.deepcopy(module)
    optimizer = AnnealedMuon(module, 1e-3, 1e9)
    optimizer.anneal(0.5)
    optimizer.step(module(torch.randn(9, 16)).square().sum())
    moved = torch.linalg.svdvals(module[0].weight.detach() - before[0].weight.detach())[:3]
    assert float(moved.max()) < 3.5e-3 * 2 * 1.3  # half of seven times the rate, times the root of rows over columns
    assert float(moved.min()) > 3.5e-3 * 2 * 0.5
    torch.testing.assert_close((module[1].weight - before[1].weight).abs().max().item(), 5e-4, atol=1e-6, rtol=0)
    assert not torch.equal(module[0].bias, before[0].bias)


def test_saved_moments_go_on_the_same() -> None:
    torch.manual_seed(0)
    one = nn.Sequential(nn.Linear(16, 16), nn.Linear(16, 2))
    other, x = copy.deepcopy(one), torch.randn(5, 16)
    first, second = AnnealedMuon(one, 1e-2, 1.0), AnnealedMuon(other, 1e-2, 1.0)
    first.step(one(x).square().sum())
    other.load_state_dict(one.state_dict())
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for module, optimizer in ((one, first), (other, second)):
        optimizer.step(module(x).square().sum())
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    with pytest.raises(ValueError, match="matrix 0"):
        second.load_state_dict(first.state_dict() | {"momentum.0": torch.zeros(2, 2)})
