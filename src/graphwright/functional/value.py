"""Losses of value functions."""

from __future__ import annotations

from torch import Tensor


def squared_error(value: Tensor, target: Tensor) -> Tensor:
    """½ mean (value − target)², a scalar. Arguments: [M]."""
    return 0.5 * (value - target).square().mean()


def explained_variance(value: Tensor, target: Tensor) -> Tensor:
    """1 − Var(target − value) / Var(target): 1 is perfect, 0 no better than a constant. 0 where the target is one."""
    spread = target.var(correction=0)
    return (1 - (target - value).var(correction=0) / spread.clamp(min=1e-12)) * (spread > 1e-12)
