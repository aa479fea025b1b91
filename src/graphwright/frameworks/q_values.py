"""Q-values of candidates, of the networks that policies have."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core.segment import segment_sum
from graphwright.distributions import RaggedCategorical

IMPOSSIBLE = -1e9
"""The Q-value of what no graph offers. Finite, since losses multiply it by zero where an episode has ended."""


def dueling(distribution: RaggedCategorical, value: Tensor) -> Tensor:
    """[K]: Q(s, a) = V(s) + A(s, a) − mean A(s, ·) over the legal candidates; `IMPOSSIBLE` for the others.

    The critic's value [B] and the actor's scores. Wang et al. 2016, "Dueling network architectures", eq. 9.
    """
    candidates, legal = distribution.segments, distribution.logits > -torch.inf
    total = segment_sum(distribution.logits.masked_fill(~legal, 0), candidates)
    mean = total / segment_sum(legal, candidates).clamp(min=1)
    return (distribution.logits + (value - mean)[candidates.index]).clamp(min=IMPOSSIBLE)
