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
from graphwright.algorithms.optimizer import AnnealedAdam, mean_of
from graphwright.nn.gflownet_policy import FlowPolicy

if TYPE_CHECKING:
    from graphwright.algorithms.gflownet.objective import Objective


class GFlowNet(Algorithm):
    """Updates `policy` from trajectories, whatever the objective. generator: draws the steps that it learns from."""

    policy: FlowPolicy

    def __init__(
        self, policy: FlowPolicy, objective: Objective, config: GFlowNetConfig, generator: torch.Generator
    ) -> None:
        self.policy = policy
        self.objective = objective
        self.passes = config.passes
        self.transitions = config.transitions
        self.generator = generator
        self.counts = config.backward == "max-entropy"
        rates = {"log_z": config.log_z_learning_rate}
        self.optimizer = AnnealedAdam(policy, config.learning_rate, config.max_grad_norm, rates)

    @override
    def begin(self, sample: Callable[[], FlowBatch]) -> None:
        self.objective.begin(sample)

    @override
    def update(self, batch: FlowBatch, progress: float) -> dict[str, Tensor]:
        self.objective.check(batch)
        self.optimizer.anneal(progress)
        batch = replace(batch, progress=progress)
        metrics = mean_of([self._step(self.part_of(batch)) for _ in range(self.passes)])
        if self.transitions:
            metrics["log_z"] = self.log_z(batch)
        return metrics | {
            "log_reward": batch.log_reward.mean(),
            "length": batch.segments.lengths.float().mean(),
        }

    @torch.no_grad()
    def log_z(self, batch: FlowBatch) -> Tensor:
        """What is known of log Z, where the states on the way are not looked at; nan where that is nothing."""
        if not self.objective.knows_flows:
            return batch.log_reward.new_tensor(torch.nan)
        return self.objective.log_z(batch.beginnings)

    def part_of(self, batch: FlowBatch) -> FlowBatch:
        """What a gradient step sees of `batch`: all, or steps of which each is as likely as any other.

        So the mean loss over these steps is that over all in expectation.
        """
        total = batch.segments.num_rows
        if not 0 < self.transitions < total:
            return replace(batch)
        drawn = torch.randperm(total, generator=self.generator)[: self.transitions]
        return batch.excerpt(torch.zeros(total, dtype=torch.bool).index_fill(0, drawn, True))

    def _step(self, batch: FlowBatch) -> dict[str, Tensor]:
        """One gradient step."""
        loss = self.objective.loss(batch)
        if self.counts:
            loss = loss + self.objective.mean(count_residual(batch), batch.num_steps)
        with torch.no_grad():
            log_z = loss.new_tensor(torch.nan) if self.transitions else self.objective.log_z(batch)
        norm = self.optimizer.step(loss)
        return {"loss": loss.detach(), "log_z": log_z, "grad_norm": norm}


def count_residual(batch: FlowBatch) -> Tensor:
    """[R]: log n(s) - log n(s') - log P_B(s | s'), n being the number of trajectories that lead to a state.

    In an initial state, where n = 1, it is log n. All are 0 if and only if P_B(s | s') = n(s) / n(s'), which gives all
    trajectories to an object the same probability (Mohammadpour et al. 2024, "Maximum entropy GFlowNets with soft
    Q-learning", section 4). Of an excerpt, one for each state that is initial or whose state before is part of it.
    """
    log_count = batch.estimate.log_count
    assert log_count is not None
    before = torch.cat([log_count[:1], log_count[:-1]])
    before = before.index_fill(0, batch.segments.ptr[:-1], 0)
    first = torch.zeros_like(log_count, dtype=torch.bool).index_fill(0, batch.segments.ptr[:-1], True)
    residual = torch.where(first, log_count, before - log_count - batch.learned_log_backward)
    return residual if batch.all_segments is None else residual[~first | (batch.trajectories.backward < 0)]
