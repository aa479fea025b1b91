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
from graphwright.core.segment import Segments, segment_sum
from graphwright.data.trajectories import Trajectories
from graphwright.drawing.curves import plot_flow_curve
from graphwright.envs.generative.enumeration import enumerate_states
from graphwright.envs.generative.exports import described
from graphwright.envs.generative.legality import check_states
from graphwright.envs.problem import Problem
from graphwright.envs.reversible import Reversible
from graphwright.nn.gflownet_policy import FlowPolicy
from graphwright.training.collectors.play import ConfigError
from graphwright.training.evaluator import Evaluator, Rows
from graphwright.training.gflownet.collector import TrajectoriesConfig
from graphwright.training.gflownet.data import given_objects
from graphwright.training.gflownet.exact import Exact
from graphwright.training.gflownet.goals import evaluate_goals, response
from graphwright.training.gflownet.likelihood import effective_share, log_likelihood, log_ratios, rank_correlation
from graphwright.training.gflownet.measuring import Measures, ObjectMeasures
from graphwright.training.gflownet.sampler import NO_EXPLORATION, Sampler
from graphwright.training.validation import DistributionValidationConfig

_SEED = 0x5EED
_EFFECTIVE = 0.3
"""Below this effective share of its samples a sampler is said to be far from what is wanted."""
_RARELY, _MASS = 1 / 3, 0.01
_TRY = "try more --seconds, --sources.replay 64, or --sources.exploration.epsilon 0.1"


class DistributionEvaluator(Evaluator):
    """Total variation and the error of log Z, where the environment is small; the mean log R of fresh objects always.

    objects: how many are sampled each time. max_states: up to how many states an environment is enumerated. measure:
    what the reward measures of objects.
    """

    def __init__(
        self,
        problem: Problem,
        environment: Reversible,
        config: TrajectoriesConfig,
        objective: Objective,
        validation: DistributionValidationConfig,
        measure: ObjectMeasures,
    ) -> None:
        super().__init__(validation.every)
        self.problem = problem
        self.environment = environment
        self.config = config
        self.objective = objective
        self.objects = validation.objects
        self.measure = measure
        self.trajectories = validation.trajectories
        self.given = given_objects(problem, environment, "--validation.data", validation.data, None)
        self.exact = make_exact(problem, environment, config, validation.max_states, measure)

    @override
    def evaluate(self, policy: Any) -> dict[str, float]:
        generator = torch.Generator().manual_seed(_SEED)
        instances = self.config.instances(self.problem, self.environment, self.objects, generator)
        trajectories = Sampler(self.environment, policy, NO_EXPLORATION, generator).sample_forward(instances)
        measures = self.measure(trajectories.objects)
        log_reward = self.config.reward.combine(measures, trajectories.objects)
        found = {"mean_log_reward": float(log_reward.mean())} | self._goals(policy) | self._likelihood(policy)
        if not self.config.condition.varies and self.problem.sampled.one_instance:
            wanted = self.config.wanted(self.environment, trajectories.objects, measures)
            ratios = log_ratios(self.environment, policy, trajectories)
            found["effective_share"] = effective_share(wanted - ratios)
        if self.exact is None:
            return found
        log_z = estimated_log_z(self.environment, self.config, self.objective, policy, trajectories, self.measure)
        distance = self.exact.total_variation(policy)
        return {"total_variation": distance, "log_z_error": abs(log_z - self.exact.log_z)} | found

    def _goals(self, policy: FlowPolicy) -> dict[str, float]:
        """What objects come to under conditions that stay the same."""
        rows = evaluate_goals(self.problem, self.environment, self.config, policy, self.measure, self.objects, _SEED)
        if not rows:
            return {}
        moved, rewards = response(rows), [row.mean_log_reward for row in rows]
        found = {"goals_mean_log_reward": sum(rewards) / len(rewards), "goals_worst_log_reward": min(rewards)}
        return found if moved is None else found | {"goals_response": moved}

    def _likelihood(self, policy: FlowPolicy) -> dict[str, float]:
        """How likely the given objects are, and whether the better ones are likelier."""
        if self.given is None:
            return {}
        return likelihood_of(self.environment, self.config, policy, self.given, self.measure, self.trajectories)

    def advice(self, policy: FlowPolicy, row: Mapping[str, float]) -> str | None:
        """What to try where objects are missed; None where there is nothing to say."""
        if self.exact is not None:
            return missed(self.exact, self.exact.sampled(policy))
        share = row.get("effective_share", 1.0)
        if share >= _EFFECTIVE:
            return None
        return (
            f"samples and R / Z disagree: {self.objects} objects are worth {max(share * self.objects, 1):.0f}, by the "
            f"spread of log R − log p; {_TRY}"
        )

    @override
    def line(self, row: Mapping[str, float], best: float | None) -> str:
        log_z = row.get("log_z", math.nan)
        shown = f"log Z {log_z:.3f}  " if math.isfinite(log_z) else ""
        return f"loss {row['loss']:.3g}  {shown}log R {row['return']:.3f}"

    @override
    def plot(self, rows: Rows, path: Path) -> None:
        plot_flow_curve(rows, path)


def likelihood_of(
    environment: Reversible,
    config: TrajectoriesConfig,
    policy: FlowPolicy,
    objects: GraphBatch,
    measure: Measures,
    trajectories: int,
) -> dict[str, float]:
    """Of given objects: the mean log-likelihood, and the rank correlation of likelihood and reward."""
    generator = torch.Generator().manual_seed(_SEED)
    objects = config.conditioned(objects, generator)
    log_probs = log_likelihood(environment, policy, objects, trajectories, generator)
    log_reward = config.wanted(environment, objects, measure(objects))
    if config.correct_automorphisms:
        log_reward = log_reward - environment.log_automorphisms(objects)
    correlation = rank_correlation(log_probs, log_reward)
    return {"mean_log_likelihood": float(log_probs.mean()), "likelihood_rank_correlation": correlation}


def missed(exact: Exact, sampled: Tensor) -> str | None:
    """Which objects a policy draws far too rarely, and what to try; None where that is less than a hundredth."""
    rare = (sampled < _RARELY * exact.target) & (exact.target > 0)
    mass = float(exact.target[rare].sum())
    if mass < _MASS:
        return None
    worst = int((exact.target - sampled).masked_fill(~rare, -1).argmax())
    shown = described(exact.environment, exact.space.states, worst)
    return (
        f"{int(rare.sum()):,} of {int((exact.target > 0).sum()):,} objects, {100 * mass:.1f} % of what is wanted, are "
        f"drawn less than a third as often as they should be, most of all ({float(sampled[worst]):.2g} for "
        f"{float(exact.target[worst]):.2g}) {shown}; {_TRY}"
    )


@torch.no_grad()
def estimated_log_z(
    environment: Reversible,
    config: TrajectoriesConfig,
    objective: Objective,
    policy: FlowPolicy,
    trajectories: Trajectories,
    measure: Measures,
) -> float:
    """What the networks of `policy` say of log Z, averaged over `trajectories`; NaN where that is nothing."""

    def wanted(states: GraphBatch) -> Tensor:
        return config.wanted(environment, states, measure(states))

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


def make_exact(
    problem: Problem,
    environment: Reversible,
    config: TrajectoriesConfig,
    max_states: int,
    measure: ObjectMeasures | None = None,
) -> Exact | None:
    """The environment enumerated, where it has one instance, one condition and at most so many states.

    Raises ConfigError, naming the state, for one that is a dead end.
    """
    if config.condition.varies or not problem.sampled.one_instance:
        return None
    instance = config.instances(problem, environment, 1, torch.Generator().manual_seed(0))
    try:
        space = enumerate_states(environment, instance, limit=max_states)
    except ValueError:  # there are more
        return None
    try:
        check_states(environment, space.states, segment_sum(space.legal, space.candidates) > 0)
    except ValueError as error:
        raise ConfigError(f"{problem.name}: {error}") from None
    measure = measure or ObjectMeasures(problem.name, environment, config.reward)
    measures = measure.of(space.states, space.may_finish)
    log_reward = config.condition.low * config.reward.combine(measures, space.states)
    if config.count_once:
        log_reward = log_reward + environment.log_share(space.states)
    return Exact(environment, space, log_reward)
