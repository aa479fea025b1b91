"""Pools: the nodes of each graph → one row a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from graphwright.core.segment import Segments, segment_max, segment_mean, segment_sum

Pooling = Literal["sum", "mean", "max", "sum-mean-max"]

_POOLS: dict[str, Callable[[Tensor, Segments], Tensor]] = {"sum": segment_sum, "mean": segment_mean, "max": segment_max}


class Pool(nn.Module):
    """[N, F] → [B, factor · F]. "sum-mean-max" is the concatenation of the three. An empty graph gives zeros."""

    def __init__(self, kind: Pooling) -> None:
        super().__init__()
        self.reductions = [_POOLS[name] for name in kind.split("-")]

    @property
    def factor(self) -> int:
        """Width of the output over width of the input."""
        return len(self.reductions)

    def forward(self, x: Tensor, segments: Segments) -> Tensor:
        """x: [N, F], rows grouped by `segments`."""
        return torch.cat([reduce(x, segments) for reduce in self.reductions], dim=1)
