"""The algorithm behind every objective: gradient steps on batches of trajectories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.algorithm import Algorithm
from graphwright.algorithms.gflownet.batch import FlowBatch
from graphwright.algorithms.gflownet.config import GFlowNetConfig
from graphwright.algorithms.muon import AnnealedMuon
from graphwright.algorithms.optimizer import AnnealedAdam, mean_of
from graphwright.nn.gflownet_policy import FlowPolicy

if TYPE_CHECKING:
    from graphwright.algorithms.gflownet.objective import Objective


class GFlowNet(Algorithm):
    """Updates `policy` from trajectories, whatever the objective."""

    policy: FlowPolicy

    def __init__(self, policy: FlowPolicy, objective: Objective, config: GFlowNetConfig) -> None:
        self.policy = policy
        self.objective = objective
        self.passes = config.passes if objective.reuses else 1
        self.minibatches = config.minibatches if objective.reuses else 1
        self.counts = config.backward == "max-entropy"
        rates = {"log_z": config.log_z_learning_rate}
        fixed = policy, config.learning_rate, config.max_grad_norm, rates
        self.optimizer = AnnealedMuon(*fixed) if config.optimizer == "muon" else AnnealedAdam(*fixed)

    @override
    def begin(self, sample: Callable[[], FlowBatch]) -> None:
        self.objective.begin(sample)

    @override
    def update(self, batch: FlowBatch, progress: float) -> dict[str, Tensor]:
        self.objective.check(batch)
        self.optimizer.anneal(progress)
        parts, steps = [part.reusable() for part in batch.parts(self.minibatches)], []
        for _ in range(self.passes):
            # Copies, since what the networks say of a batch is computed once, and they change.
            steps += [self._step(replace(part), 1 - progress) for part in parts]
        metrics = mean_of(steps)
        return metrics | {
            "log_reward": batch.log_reward.mean(),
            "length": batch.segments.lengths.float().mean(),
        }

    def _step(self, batch: FlowBatch, rate: float) -> dict[str, Tensor]:
        """One gradient step."""
        self.objective.settle(batch, rate)
        loss = self.objective.loss(batch)
        if self.counts:
            loss = loss + self.objective.mean(count_residual(batch))
        with torch.no_grad():
            log_z = self.objective.log_z(batch)
        norm = self.optimizer.step(loss)
        return {"loss": loss.detach(), "log_z": log_z, "grad_norm": norm}


def count_residual(batch: FlowBatch) -> Tensor:
    """[R]: log n(s) - log n(s') - log P_B(s | s'), n being the number of trajectories that lead to a state.

    In an initial state, where n = 1, it is log n. All are 0 if and only if P_B(s | s') = n(s) / n(s'), which gives all
    trajectories to an object the same probability (Mohammadpour et al. 2024, "Maximum entropy GFlowNets with soft
    Q-learning", section 4).
    """
    log_count = batch.log_count
    before = torch.cat([log_count[:1], log_count[:-1]])
    before = before.index_fill(0, batch.segments.ptr[:-1], 0)
    first = torch.zeros_like(log_count, dtype=torch.bool).index_fill(0, batch.segments.ptr[:-1], True)
    return torch.where(first, log_count, before - log_count - batch.learned_log_backward)
