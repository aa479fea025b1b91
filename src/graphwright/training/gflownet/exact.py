"""What a policy samples, exactly: for environments that are small enough to be enumerated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.generative.enumeration import StateSpace, in_pieces, total_variation
from graphwright.envs.reversible import Reversible
from graphwright.nn.gflownet_policy import FlowPolicy


@dataclass(frozen=True, eq=False)
class Exact:
    """All states of an environment, and what is wanted of them.

    log_reward: [S] float64, log R of the object that each state would be; only those that may be finished count.
    """

    environment: Reversible
    space: StateSpace
    log_reward: Tensor

    @cached_property
    def target(self) -> Tensor:
        """[S] float64: R / Z."""
        return self.space.target_distribution(self.log_reward)[0]

    @cached_property
    def log_z(self) -> float:
        """log Z."""
        return self.space.target_distribution(self.log_reward)[1]

    @torch.no_grad()
    def sampled(self, policy: FlowPolicy) -> Tensor:
        """[S] float64: the probability that `policy` finishes in each state."""
        environment = self.environment

        def log_probs(states: GraphBatch) -> Tensor:
            return policy.distribution(environment.observe(states)).log_probs

        return self.space.reached(in_pieces(self.space.states, log_probs))[1]

    def total_variation(self, policy: FlowPolicy) -> float:
        """Between what `policy` samples and what is wanted: 0 is perfect, 1 as bad as can be."""
        return total_variation(self.sampled(policy), self.target)
