"""Pools: the nodes of each graph → one row a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn

from graphwright.core.segment import Segments, segment_log_softmax, segment_max, segment_sum
from graphwright.nn.kernels import block_sum, sum_mean_max

Pooling = Literal["sum", "mean", "max", "sum-mean-max", "attention"]


def block_mean(x: Tensor, segments: Segments) -> Tensor:
    """[B, width]: the mean of each group of rows; 0 for an empty one."""
    return block_sum(x, segments) / segments.lengths.clamp(min=1).to(x.dtype).unsqueeze(1)


_POOLS: dict[str, Callable[[Tensor, Segments], Tensor]] = {
    "sum": block_sum,
    "mean": block_mean,
    "max": segment_max,
    "sum-mean-max": sum_mean_max,
}


class Pool(nn.Module):
    """[N, width] → [B, out_width]. "sum-mean-max" is the concatenation of the three. An empty graph gives zeros."""

    def __init__(self, kind: Pooling, width: int) -> None:
        super().__init__()
        self.kind = kind
        self.attention = nn.Linear(width, 1, bias=False) if kind == "attention" else None
        self.out_width = width * (3 if kind == "sum-mean-max" else 1)

    def forward(self, x: Tensor, segments: Segments) -> Tensor:
        """x: [N, width], rows grouped by `segments`."""
        if self.attention is not None:  # a softmax over each graph's nodes (Li et al. 2016, eq. 7, without its tanh)
            share = segment_log_softmax(self.attention(x).squeeze(1), segments).exp()
            return segment_sum(share.unsqueeze(1) * x, segments)
        return _POOLS[self.kind](x, segments)
