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

_SECONDS_AN_INSTANCE = 2.0
_SEED = 0x5EED


@dataclass(frozen=True, eq=False)
class Validation:
    """Instances, one batch a size, with a reference cost [B] for each instance.

    reference: what the cost is compared with: "optimum" (the best known cost, where a proof took too long), or the name
        of a heuristic where there is no exact solver or it is not installed.
    """

    environment: Environment
    instances: list[GraphBatch]
    costs: list[Tensor]
    reference: str

    def gap(self, policy: GraphPolicy) -> float:
        """Mean over sizes of (c − r) / |r|, of the means of the policy's greedy cost c and of the reference cost r.

        0 is as good as the reference, 0.01 one per cent worse, whether the objective is a cost or a gain.
        """
        gaps = []
        for instances, costs in zip(self.instances, self.costs, strict=True):
            found = self.environment.cost(decode(policy, self.environment, instances)).cpu().mean()
            reference = costs.mean()
            gaps.append(float((found - reference) / reference.abs().clamp(min=1e-9)))
        return sum(gaps) / len(gaps)


def make_validation(problem: Problem, config: TrainConfig, device: torch.device) -> Validation:
    """The validation instances of a run: the same for every run of the same options."""
    batches, costs, reference = [], [], ""
    for generator in config.validation_generators(problem):
        batch = generator(config.validation.graphs, torch.Generator().manual_seed(_SEED))
        cost, reference = _reference(problem, config.environment, batch)
        batches.append(batch.to(device))
        costs.append(cost)
    return Validation(config.rules, batches, costs, reference)


def _reference(problem: Problem, environment: Environment, instances: GraphBatch) -> tuple[Tensor, str]:
    """The costs [B] to compare with, and whose they are."""
    if problem.solve_exactly is not None:
        try:
            best = problem.solve_exactly(environment, instances, _SECONDS_AN_INSTANCE).objective
            return -best if environment.maximise else best, "optimum"
        except ImportError:
            pass
    name, heuristic = next(iter(problem.heuristics.items()))
    return environment.cost(heuristic(environment, instances)), name
