"""Objectives that look for the best objects rather than all good ones, for comparison."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.gflownet.batch import FlowBatch
from graphwright.algorithms.gflownet.objective import Objective
from graphwright.core.segment import segment_mean, segment_sum


class Baseline(Objective):
    """Looks for the best objects rather than all good ones: a baseline, not a flow network, and without a log Z."""

    teaches_backward = False
    has_log_z = False
    reuses = False

    def check(self, batch: FlowBatch) -> None:
        """R itself has to be a float32."""
        if not bool(batch.log_reward.exp().isfinite().all()):
            raise ValueError(
                f"--algorithm {self.name}: learns R itself, which of some object is too large a number; "
                "raise --reward.temperature, or take an algorithm that learns log R, such as tb"
            )

    def log_z(self, batch: FlowBatch) -> Tensor:
        """Not defined."""
        return batch.log_reward.new_tensor(torch.nan)


class TrajectoryActorCritic(Baseline):
    """A2C on R itself."""

    learned = frozenset({"flow"})

    @override
    def loss(self, batch: FlowBatch) -> Tensor:
        error = batch.log_reward.exp()[batch.segments.index] - batch.log_flow
        policy_loss = -(error.detach() * batch.log_forward).mean()
        entropy = batch.estimate.forward.entropy[batch.which].mean()
        return policy_loss + self.mean(error) - self.entropy_coefficient * entropy


class TrajectoryReinforce(Baseline):
    """REINFORCE on R with the mean of a group as the baseline, standardized.

    With conditions that hold weights of objectives it is multi-objective REINFORCE (Lin et al. 2022, "Pareto set
    learning for expensive multi-objective optimization", section 3, in the form of one conditional policy).
    """

    compares = True

    @override
    def loss(self, batch: FlowBatch) -> Tensor:
        rewards = batch.log_reward.exp()
        mean = segment_mean(rewards, batch.groups)[batch.groups.index]
        advantage = (rewards - mean) / rewards.std(unbiased=False).clamp(min=1e-8)
        log_prob = segment_sum(batch.log_forward, batch.segments)
        bonus = self.entropy_coefficient * batch.estimate.forward.entropy[batch.which].mean()
        return -(advantage * log_prob).mean() - bonus
