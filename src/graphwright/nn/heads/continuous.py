"""Real-valued actions: a squashed Gaussian for each decision."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from graphwright.core import GraphBatch
from graphwright.distributions import SquashedGaussian
from graphwright.nn.encoders import Embedding
from graphwright.nn.heads.decider import DeciderHidden
from graphwright.nn.heads.gives import Gives

Scale = Literal["learned", "state"]
_LOG_SCALE_RANGE = (-5.0, 2.0)  # as in common implementations of SAC: beyond it densities overflow


class ContinuousDeciders(nn.Module):
    """MLP on [decider ‖ graph] for the means, and a scale a column: a parameter, or of the state like the mean."""

    gives: Gives = "log-densities"

    def __init__(self, hidden: DeciderHidden, width: int, columns: int, scale: Scale) -> None:
        super().__init__()
        self.hidden = hidden
        self.mean = nn.Linear(width, columns)
        nn.init.normal_(self.mean.weight, std=0.01)
        nn.init.zeros_(self.mean.bias)
        self.log_scale: nn.Linear | nn.Parameter
        if scale == "learned":
            self.log_scale = nn.Parameter(torch.full((columns,), -0.5))
        else:
            self.log_scale = nn.Linear(width, columns)
            nn.init.normal_(self.log_scale.weight, std=0.01)
            nn.init.constant_(self.log_scale.bias, -0.5)

    def forward(self, embedding: Embedding, graph: GraphBatch, mask: Tensor) -> SquashedGaussian:
        """mask: [D] bool, the decisions in which anything is done."""
        hidden = self.hidden(embedding, graph)
        mean = self.mean(hidden)
        log_scale = self.log_scale(hidden) if isinstance(self.log_scale, nn.Linear) else self.log_scale.expand_as(mean)
        return SquashedGaussian(mean, log_scale.clamp(*_LOG_SCALE_RANGE).exp(), mask)
