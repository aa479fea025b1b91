"""Validation: fixed instances on which a policy is watched while it learns."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.environment import Environment
from graphwright.envs.problem import Problem
from graphwright.nn import GraphPolicy
from graphwright.training.config import TrainConfig
from graphwright.training.decode import decode
from graphwright.training.statistics import mean_ratio

_SECONDS_AN_INSTANCE = 2.0
_SEED = 0x5EED


@dataclass(frozen=True, eq=False)
class Validation:
    """Instances, one batch a size, with a reference cost [B] for each instance.

    reference: what the cost is compared with: "optimum" (the best known cost, where a proof took too long), or "greedy"
        where no exact solver is installed.
    """

    environment: Environment
    instances: list[GraphBatch]
    costs: list[Tensor]
    reference: str

    def ratio(self, policy: GraphPolicy) -> float:
        """Mean over sizes of the policy's greedy cost over the reference cost. 1 is as good as the reference."""
        ratios = []
        for instances, costs in zip(self.instances, self.costs, strict=True):
            found = self.environment.cost(decode(policy, self.environment, instances)).cpu()
            ratios.append(mean_ratio(found, costs))
        return sum(ratios) / len(ratios)


def make_validation(problem: Problem, config: TrainConfig, device: torch.device) -> Validation:
    """The validation instances of a run: the same for every run of the same options."""
    batches, costs, reference = [], [], "optimum"
    for generator in config.validation_generators():
        batch = generator(config.validation.graphs, torch.Generator().manual_seed(_SEED))
        try:
            cost = problem.solve_exactly(batch, _SECONDS_AN_INSTANCE).cost
        except ImportError:
            cost, reference = problem.heuristics["greedy"](config.environment, batch), "greedy"
        batches.append(batch.to(device))
        costs.append(cost)
    return Validation(config.environment, batches, costs, reference)
