"""An MLP with one hidden layer."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override


class Perceptron(nn.Sequential):
    """Linear, ReLU, Linear, [M, width] → [M, width]: torch's container of three would enter each by itself, which takes
    as long as the products of a small network."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.Linear(width, width), nn.ReLU(inplace=True), nn.Linear(width, width))

    @override
    def forward(self, x: Tensor) -> Tensor:
        first, _, last = self._modules.values()
        assert isinstance(first, nn.Linear)
        assert isinstance(last, nn.Linear)
        return F.linear(F.linear(x, first.weight, first.bias).relu_(), last.weight, last.bias)
