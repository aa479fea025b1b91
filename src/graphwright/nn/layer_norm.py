"""Layer normalisation, asked for without the detour."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override


class LayerNorm(nn.LayerNorm):
    """torch's own, number for number: what it asks on the way to the operation takes longer than a small network's."""

    @override
    def forward(self, input: Tensor) -> Tensor:
        return torch.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)
