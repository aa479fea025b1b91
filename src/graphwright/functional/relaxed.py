"""Discrete choices through which gradients pass: shares [K] of the candidates of each decision."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core.segment import Segments, segment_argmax, segment_log_softmax


def one_hot(action: Tensor, candidates: Segments) -> Tensor:
    """[K] float32: 1 at the candidate that each `action` [D] int64 names; none where it is -1."""
    shares = torch.zeros(candidates.num_rows, device=action.device)
    chosen = action >= 0
    return shares.index_fill(0, (candidates.ptr[:-1] + action)[chosen], 1.0)


def straight_through(
    logits: Tensor, candidates: Segments, temperature: float, generator: torch.Generator | None = None
) -> Tensor:
    """[K]: one draw of the softmax of `logits` [K] for each decision as a one-hot, whose gradient is that of

    y = softmax((logits + g) / temperature),   g ~ Gumbel(0, 1)

    Jang, Gu, Poole 2017, "Categorical reparameterization with Gumbel-softmax", section 2.2. -∞ is illegal: never drawn,
    without a share or a gradient.
    """
    exponential = torch.empty_like(logits, requires_grad=False).exponential_(generator=generator)
    noisy = logits - exponential.clamp_(min=torch.finfo(logits.dtype).tiny).log_()
    soft = segment_log_softmax(noisy / temperature, candidates).exp()
    hard = one_hot(segment_argmax(noisy.detach(), candidates), candidates)
    return hard + (soft - soft.detach())
