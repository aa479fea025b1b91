"""Distributions over what a decision offers: candidates, pairs of nodes, real numbers."""

from typing import Any, Protocol

import torch
from torch import Tensor

from graphwright.distributions.categorical import RaggedCategorical
from graphwright.distributions.squashed_gaussian import SquashedGaussian
from graphwright.distributions.two_stage import SourceThenDestination

__all__ = ["Distribution", "RaggedCategorical", "SourceThenDestination", "SquashedGaussian"]


class Distribution(Protocol):
    """What every algorithm speaks: one independent distribution for each of D decisions."""

    @property
    def mode(self) -> Tensor:
        """The action that greedy decoding takes."""

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """One draw a decision: [D] int64, or [D, C] float32 where actions are continuous."""

    def log_prob(self, action: Tensor) -> Tensor:
        """[D]: log-probability (log-density) of `action`."""

    @property
    def entropy(self) -> Tensor:
        """[D] entropy in nats."""

    def kl(self, other: Any) -> Tensor:
        """[D] KL divergence of `other`, of the same kind, from this distribution, in nats."""

    def mmd(self, other: Any) -> Tensor:
        """[D] squared maximum mean discrepancy of this distribution and `other`, of the same kind."""
