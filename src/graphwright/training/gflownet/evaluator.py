"""How a sampler is watched while it learns: against its exact target where the environment is small."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.gflownet.batch import FlowBatch
from graphwright.algorithms.gflownet.objective import Objective
from graphwright.core import GraphBatch
from graphwright.core.segment import Segments
from graphwright.data.trajectories import Trajectories
from graphwright.drawing.curves import plot_flow_curve
from graphwright.envs.problem import Problem
from graphwright.envs.reversible import Reversible
from graphwright.nn.gflownet_policy import FlowPolicy
from graphwright.training.evaluators import Evaluator, Rows
from graphwright.training.gflownet.collector import TrajectoriesConfig
from graphwright.training.gflownet.exact import Exact, enumerate_or_none
from graphwright.training.gflownet.sampler import NO_EXPLORATION, Sampler

_SEED = 0x5EED


class DistributionEvaluator(Evaluator):
    """Total variation and the error of log Z, where the environment is small; the mean log R of fresh objects always.

    objects: how many are sampled each time. max_states: up to how many states an environment is enumerated.
    """

    def __init__(
        self,
        problem: Problem,
        environment: Reversible,
        config: TrajectoriesConfig,
        objective: Objective,
        objects: int,
        max_states: int,
        every: int = 1,
    ) -> None:
        super().__init__(every)
        self.problem = problem
        self.environment = environment
        self.config = config
        self.objective = objective
        self.objects = objects
        self.exact = make_exact(problem, environment, config, max_states)

    @override
    def evaluate(self, policy: Any) -> dict[str, float]:
        generator = torch.Generator().manual_seed(_SEED)
        instances = self.config.instances(self.problem, self.environment, self.objects, generator)
        trajectories = Sampler(self.environment, policy, NO_EXPLORATION, generator).sample_forward(instances)
        log_reward = self.config.reward(self.environment, trajectories.objects)
        found = {"mean_log_reward": float(log_reward.mean())}
        if self.exact is None:
            return found
        log_z = estimated_log_z(self.environment, self.config, self.objective, policy, trajectories)
        distance = self.exact.total_variation(policy)
        return {"total_variation": distance, "log_z_error": abs(log_z - self.exact.log_z)} | found

    @override
    def line(self, row: Mapping[str, float], best: float | None) -> str:
        log_z = row.get("log_z", math.nan)
        shown = f"log Z {log_z:.3f}  " if math.isfinite(log_z) else ""
        return f"loss {row['loss']:.3g}  {shown}log R {row['return']:.3f}"

    @override
    def plot(self, rows: Rows, path: Path) -> None:
        plot_flow_curve(rows, path)


@torch.no_grad()
def estimated_log_z(
    environment: Reversible,
    config: TrajectoriesConfig,
    objective: Objective,
    policy: FlowPolicy,
    trajectories: Trajectories,
) -> float:
    """What the networks of `policy` say of log Z, averaged over `trajectories`; NaN where that is nothing."""

    def wanted(states: GraphBatch) -> Tensor:
        return config.wanted(environment, states, config.reward.measure(environment, states))

    log_reward = wanted(trajectories.objects).to(torch.float32)
    groups = Segments(torch.tensor([0, trajectories.num_trajectories]))
    batch = FlowBatch(
        environment.observe,
        environment.backward_masks,
        environment.undo,
        policy,
        trajectories,
        log_reward,
        groups,
        wanted,
    )
    return float(objective.log_z(batch.beginnings if objective.knows_flows else batch))


def make_exact(problem: Problem, environment: Reversible, config: TrajectoriesConfig, max_states: int) -> Exact | None:
    """The environment enumerated, where it has one instance, one condition and at most so many states."""
    if config.condition.varies or not problem.sampled.one_instance:
        return None
    instance = config.instances(problem, environment, 1, torch.Generator().manual_seed(0))
    space = enumerate_or_none(environment, instance, max_states)
    if space is None:
        return None
    log_reward = config.condition.low * config.reward(environment, space.states)
    if config.count_once:
        log_reward = log_reward + environment.log_share(space.states)
    return Exact(environment, space, log_reward)
