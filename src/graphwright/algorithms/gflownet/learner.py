"""One gradient step on a batch of trajectories, whatever the objective."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from graphwright.algorithms.gflownet.baselines import Maximizer
from graphwright.algorithms.gflownet.batch import FlowBatch
from graphwright.algorithms.gflownet.objective import Objective
from graphwright.algorithms.gflownet.registry import OBJECTIVES
from graphwright.algorithms.optimizer import AnnealedAdam, mean_of, require
from graphwright.functional.gflownet import Regression
from graphwright.nn.gflownet_policy import FlowPolicy

Backward = Literal["uniform", "learned", "max-entropy"]


@dataclass(frozen=True)
class FlowLossConfig:
    """Settings of the objective and of the optimizer."""

    learning_rate: float = 1e-3
    """At the beginning; it falls linearly to zero."""
    log_z_learning_rate: float = 0.1
    """That of log Z, which has far to go."""
    max_grad_norm: float = 10.0
    """Gradients are clipped to this norm."""
    passes: int = 1
    """Gradient steps on each batch of trajectories."""
    transitions: int = 0
    """Steps of its trajectories that each gradient step sees, drawn anew; 0 for all. For objectives that are a mean
    over steps: db, forward-looking, modified-db, fm, soft-q, a2c, envelope-q."""
    regression: Regression = "squared"
    """What is made of a residual."""
    decay: float = 0.9
    """subtb: the weight of a sub-trajectory falls by this factor with each step of its length."""
    entropy_coefficient: float = 0.01
    """a2c, reinforce: weight of the entropy bonus."""
    preferences: int = 4
    """envelope-q: weights of objectives, a state's own among them, that its best continuation is sought over."""
    value_temperature: float = 0.01
    """envelope-q: actions are drawn in proportion to exp(value / this); small is greedy."""
    backward: Backward = "uniform"
    """How objects are taken apart: any way alike, as learned with the rest, or so that all trajectories to an object
    have the same probability."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, for a rate or a norm that is no positive number."""
        for name in ("learning_rate", "log_z_learning_rate", "max_grad_norm"):
            require(f"flow.{name.replace('_', '-')}", getattr(self, name), 0)
        require("flow.decay", self.decay, 0)
        require("flow.passes", self.passes)
        require("flow.transitions", self.transitions, 0)
        require("flow.preferences", self.preferences)
        require("flow.value-temperature", self.value_temperature, 1e-6)

    def objective(self, algorithm: str) -> Objective:
        """The objective of that name, with these settings. Raises ValueError where it needs whole trajectories."""
        if self.transitions and not OBJECTIVES[algorithm].by_step:
            raise ValueError(
                f"--flow.transitions {self.transitions}: --algorithm {algorithm} needs whole trajectories; give 0, or "
                "an algorithm that learns from single steps, such as --algorithm db"
            )
        return OBJECTIVES[algorithm](
            regression=self.regression,
            decay=self.decay,
            entropy_coefficient=self.entropy_coefficient,
            preferences=self.preferences,
        )

    def learned(self, algorithm: str) -> frozenset[str]:
        """What a policy learns beside its forward actor. Raises ValueError where nothing would teach it."""
        if self.backward == "learned" and not OBJECTIVES[algorithm].teaches_backward:
            raise ValueError(f"--flow.backward learned: --algorithm {algorithm} does not teach it; take max-entropy")
        if self.backward == "max-entropy" and issubclass(OBJECTIVES[algorithm], Maximizer):
            raise ValueError(f"--flow.backward max-entropy: --algorithm {algorithm} looks at no way back; take uniform")
        backward = {"uniform": set[str](), "learned": {"backward"}, "max-entropy": {"backward", "count"}}
        return OBJECTIVES[algorithm].learned | backward[self.backward]


class FlowLearner:
    """Updates `policy` from batches of trajectories. generator: draws the steps that it learns from."""

    def __init__(self, policy: FlowPolicy, algorithm: str, config: FlowLossConfig, generator: torch.Generator) -> None:
        self.objective = config.objective(algorithm)
        self.passes = config.passes
        self.transitions = config.transitions
        self.generator = generator
        self.counts = config.backward == "max-entropy"
        rates = {"log_z": config.log_z_learning_rate}
        self.optimizer = AnnealedAdam(policy, config.learning_rate, config.max_grad_norm, rates)

    def update(self, batch: FlowBatch, progress: float) -> dict[str, Tensor]:
        """Learn from `batch`, at `progress` (0 to 1) of the run; scalars to log."""
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
