"""Trust regions: how far a policy may go from the one that a run began with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from graphwright.algorithms.optimizer import require
from graphwright.core import GraphBatch, Observation
from graphwright.data.samples import ReplaySamples
from graphwright.distributions import Distribution
from graphwright.nn.policies import Policy

_STATES = 512  # on which divergences are measured
_HALVINGS = 10


@dataclass(frozen=True)
class TrustRegionConfig:
    """How far the policy may go from that of --from."""

    kind: Literal["none", "penalty", "mmd", "line-search"] = "none"
    """penalty adds the divergence to what is descended, KL(start ‖ policy) in nats; mmd the squared maximum mean
    discrepancy (BEAR), which is bounded whatever the policy does; line-search goes back along an update until the
    divergence is small."""
    weight: float = 1.0
    """Of penalty and mmd: weight of their mean over decisions."""
    kl: float = 0.05
    """Of the line search: the largest mean divergence of a decision."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no region."""
        require("trust-region.weight", self.weight, 0)
        require("trust-region.kl", self.kl, 0)


class Anchor(nn.Module):
    """The policy that a run began with, which stays as it was; see `TrustRegionConfig`."""

    def __init__(self, start: Policy, config: TrustRegionConfig) -> None:
        super().__init__()
        self.start = start.requires_grad_(False)
        self.config = config

    def divergence(self, distribution: Distribution, observation: Observation) -> Tensor:
        """Mean KL(start ‖ policy) of the decisions of `observation`, a scalar."""
        divergence = self.start.distribution(observation).kl(distribution)
        return divergence.sum() / max(divergence.numel(), 1)

    def penalty(self, distribution: Distribution, observation: Observation) -> Tensor | float:
        """What being far away costs: KL, or the squared MMD of Kumar et al. 2019, "Stabilizing off-policy Q-learning
        via bootstrapping error reduction", exact rather than of samples."""
        if self.config.kind == "penalty":
            return self.config.weight * self.divergence(distribution, observation)
        if self.config.kind != "mmd":
            return 0.0
        apart = self.start.distribution(observation).mmd(distribution)
        return self.config.weight * apart.sum() / max(apart.numel(), 1)

    @contextmanager
    def held(self, policy: Policy, observe: Any, batch: Any, metrics: dict[str, Tensor]) -> Iterator[None]:
        """Where `policy` is changed within, from `batch`, and comes too far from the start, it goes back half the way.

        And half of that again, as the line search of Schulman et al. 2015, "Trust region policy optimization",
        appendix C, but over all gradient steps of an update together, and whatever the surrogate says. `metrics` gets
        the `divergence`.
        """
        before = [parameter.detach().clone() for parameter in policy.parameters()]
        yield
        with torch.no_grad():
            observation = observe(states_of(batch))
            after = [parameter.detach().clone() for parameter in policy.parameters()]
            for halving in range(_HALVINGS + 1):
                divergence = self.divergence(policy.distribution(observation), observation)
                if self.config.kind != "line-search" or divergence <= self.config.kl:
                    break
                part = 0.5 ** (halving + 1) if halving < _HALVINGS - 1 else 0.0
                for parameter, old, new in zip(policy.parameters(), before, after, strict=True):
                    parameter.copy_(torch.lerp(old, new, part))
        metrics["divergence"] = divergence


def states_of(batch: Any) -> GraphBatch:
    """Some of the states that a batch was made of, the same each time."""
    if isinstance(batch, ReplaySamples):
        return batch.replay.sample(min(batch.size, _STATES), batch.generator).state
    count = batch.states.num_states
    rows = torch.arange(0, count, max(count // _STATES, 1))[:_STATES]
    return batch.states.select(rows)
