"""Q-values of candidates, of the networks that policies have."""

from __future__ import annotations

from torch import Tensor

from graphwright.distributions import RaggedCategorical
from graphwright.functional.q_learning import centred

IMPOSSIBLE = -1e9
"""The Q-value of what no graph offers. Finite, since losses multiply it by zero where an episode has ended."""


def dueling(distribution: RaggedCategorical, value: Tensor) -> Tensor:
    """[K]: Q(s, a) = V(s) + A(s, a) − mean A(s, ·) over the legal candidates; `IMPOSSIBLE` for the others.

    The critic's value [B] and the actor's scores. Wang et al. 2016, "Dueling network architectures", eq. 9.
    """
    return (centred(distribution.logits, distribution.segments) + value[distribution.segments.index]).clamp(
        min=IMPOSSIBLE
    )
