"""Evaluators: how a policy is watched while it learns, and by which number the best one is chosen."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.core.doing import now
from graphwright.drawing.curves import plot_validation
from graphwright.envs.endless import Endless
from graphwright.envs.environment import Environment
from graphwright.envs.generators import InstanceGenerator
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Heuristic, Problem
from graphwright.envs.rollouts import unroll
from graphwright.envs.team import Team
from graphwright.training.acting import act_of_agents, act_of_policy, chosen_by, drawing
from graphwright.training.averages import mean_backlog, require_endless
from graphwright.training.collectors.play import ConfigError, PlayConfig, make_generator
from graphwright.training.decode import decode
from graphwright.training.evaluator import Evaluator, Rows, returned
from graphwright.training.play_teams import SUCCESS, play_teams
from graphwright.training.validation import ValidationConfig

_SECONDS_AN_INSTANCE = 2.0
_SEED = 0x5EED


class GapEvaluator(Evaluator):
    """How far a policy's solutions of fixed instances, one batch a size, are from a reference cost [B] of each.

    reference: what the cost is compared with: "optimum" (the best known cost, where a proof took too long), or the name
    of a heuristic where there is no exact solver or it is not installed. rule: the name of a heuristic and what its
    solutions cost [B], for a line in the learning curve.
    """

    metric = "validation_gap"

    def __init__(
        self,
        environment: Optimization,
        instances: list[GraphBatch],
        costs: list[Tensor],
        reference: str,
        every: int = 1,
        rule: tuple[str, Callable[[GraphBatch], Tensor]] | None = None,
        method: Literal["greedy", "sample"] = "greedy",
    ) -> None:
        super().__init__(every)
        self.method = method
        self.environment = environment
        self.instances = instances
        self.costs = costs
        self.reference = reference
        self.rule = rule

    @override
    def evaluate(self, policy: Any) -> dict[str, float]:
        return {"validation_gap": self.gap(policy)}

    def gap(self, policy: Any) -> float:
        """Mean over sizes of (c − r) / |r|, of the means of the policy's cost c and of the reference cost r.

        0 is as good as the reference, 0.01 one per cent worse, whether the objective is a cost or a gain.
        """
        generator = drawing(self.method, policy, _SEED)
        played = self.environment
        return self._gap_of(
            lambda instances: played.cost(decode(policy, played, instances, self.method, generator=generator))
        )

    def _gap_of(self, cost: Callable[[GraphBatch], Tensor]) -> float:
        gaps = []
        for instances, costs in zip(self.instances, self.costs, strict=True):
            found = cost(instances).cpu().mean()
            reference = costs.mean()
            gaps.append(float((found - reference) / reference.abs().clamp(min=1e-9)))
        return sum(gaps) / len(gaps)

    @override
    def line(self, row: Mapping[str, float], best: float | None) -> str:
        gap = math.nan if best is None else 100 * best
        return f"{returned(row)}  best {gap:.2f} % from {self.reference}"

    @override
    def plot(self, rows: Rows, path: Path) -> None:
        beside = None if self.rule is None else (self.rule[0], self._gap_of(self.rule[1]))
        plot_validation(rows, "validation_gap", f"% worse than {self.reference}", path, beside, scale=100)


class ReturnEvaluator(Evaluator):
    """The mean return of the policy's episodes of fixed instances."""

    metric = "validation_return"
    better = "higher"

    def __init__(
        self,
        environment: Environment,
        instances: list[GraphBatch],
        every: int = 1,
        decode: Literal["greedy", "sample"] = "greedy",
    ) -> None:
        super().__init__(every)
        self.environment = environment
        self.instances = instances
        self.decode = decode

    @override
    def evaluate(self, policy: Any) -> dict[str, float]:
        totals, choose = [], chosen_by(policy, drawing(self.decode, policy, _SEED))
        for instances in self.instances:
            total = torch.zeros((), dtype=torch.float64)
            for transition in unroll(self.environment, self.environment.reset(instances), choose):
                total += transition.step.reward.double().sum().cpu()
            totals.append(float(total) / instances.num_graphs)
        return {"validation_return": sum(totals) / len(totals)}


class TeamEvaluator(ReturnEvaluator):
    """The mean return to an agent of episodes of fixed instances, one batch a size, and their success."""

    environment: Team

    @override
    @torch.no_grad()
    def evaluate(self, policy: Any) -> dict[str, float]:
        act = act_of_agents(policy, self.environment, drawing(self.decode, policy, _SEED))
        played = [play_teams(self.environment, instances, act) for instances in self.instances]
        names = [name for name in played[0].measures if name == SUCCESS]
        means = {f"validation_{name}": [float(each.measures[name].mean()) for each in played] for name in names}
        means["validation_return"] = [float(each.returns.mean()) for each in played]
        return {name: sum(values) / len(values) for name, values in means.items()}


class AverageEvaluator(Evaluator):
    """The mean backlog of fixed instances, one batch a size, over `slots` from their beginning on, without resets.

    reference: the name of a baseline and its mean backlog, None where there is none.
    """

    metric = "validation_backlog"

    def __init__(
        self,
        environment: Endless,
        instances: list[GraphBatch],
        slots: int,
        reference: tuple[str, float] | None,
        every: int = 1,
        decode: Literal["greedy", "sample"] = "greedy",
    ) -> None:
        super().__init__(every)
        self.environment = environment
        self.instances = instances
        self.slots = slots
        self.reference = reference
        self.decode = decode

    @override
    def evaluate(self, policy: Any) -> dict[str, float]:
        act = act_of_policy(policy, self.environment, drawing(self.decode, policy, _SEED))
        return {"validation_backlog": mean_backlog(self.environment, act, self.instances, self.slots, _SEED)}

    @override
    def line(self, row: Mapping[str, float], best: float | None) -> str:
        shown = super().line(row, None)
        beside = "" if self.reference is None else f" ({self.reference[0]} {self.reference[1]:.4g})"
        return shown if best is None else f"{shown}  best backlog {best:.4g}{beside}"

    @override
    def plot(self, rows: Rows, path: Path) -> None:
        plot_validation(rows, "validation_backlog", "mean backlog", path, self.reference)


def _watched(
    problem: Problem, environment: Endless, instances: list[GraphBatch], validation: ValidationConfig
) -> Evaluator:
    """Of the backlog, beside the first baseline of `problem`, the one to beat."""
    reference = None
    for name, baseline in list(problem.baselines.items())[:1]:
        played = require_endless(problem, baseline.environment(environment))
        reference = name, mean_backlog(played, partial(baseline.rule, played), instances, validation.slots, _SEED)
    return AverageEvaluator(environment, instances, validation.slots, reference, validation.every, validation.decode)


def make_evaluator(
    problem: Problem,
    environment: Environment,
    collection: PlayConfig,
    validation: ValidationConfig,
    device: torch.device,
) -> Evaluator:
    """Of the gap where there is an objective, of the return elsewhere; the same for every run of the same settings.

    environment: the one that solvers see.
    """
    largest = max(collection.sizes or problem.sizes)
    sizes = validation.sizes or (2 * largest, 5 * largest)
    generators = [make_generator(problem, collection.generator, (size,), collection.law) for size in sizes]
    generators = [collection.identity.identified(generator) for generator in generators]
    batches = [_drawn(*each, validation.graphs) for each in zip(generators, sizes, strict=True)]
    played, placed = collection.played(environment), [batch.to(device) for batch in batches]
    if isinstance(played, Endless):
        return _watched(problem, played, placed, validation)
    if isinstance(played, Team):
        return TeamEvaluator(played, placed, validation.every, validation.decode)
    if not isinstance(environment, Optimization) or not isinstance(played, Optimization):
        return ReturnEvaluator(played, placed, validation.every, validation.decode)
    now(f"validation graphs of {' and '.join(map(str, sizes))} nodes: what is best known of them")
    references = [_reference(problem, environment, batch) for batch in batches]
    reference, rule = references[-1][1], None
    for name, heuristic in list(problem.heuristics.items())[:1]:
        rule = None if name == reference else (name, partial(_cost_of, environment, heuristic))
    costs = [cost for cost, _ in references]
    return GapEvaluator(played, placed, costs, reference, validation.every, rule, validation.decode)


def _cost_of(environment: Optimization, heuristic: Heuristic, instances: GraphBatch) -> Tensor:
    """[B]: of its solutions, which pay no penalties for illegal actions."""
    return environment.cost(heuristic(environment, instances))


def _drawn(generator: InstanceGenerator, size: int, count: int) -> GraphBatch:
    try:
        return generator(count, torch.Generator().manual_seed(_SEED))
    except ValueError as error:  # of a size that nobody may have asked for
        raise ConfigError(f"--validation.sizes {size}: {error}") from None


def _reference(problem: Problem, environment: Optimization, instances: GraphBatch) -> tuple[Tensor, str]:
    """The costs [B] to compare with, and whose they are."""
    if problem.solve_exactly is not None:
        try:
            best = problem.solve_exactly(environment, instances, _SECONDS_AN_INSTANCE).objective
            return -best if environment.maximise else best, "optimum"
        except ImportError:
            pass
    name, heuristic = next(iter(problem.heuristics.items()))
    return environment.cost(heuristic(environment, instances)), name
