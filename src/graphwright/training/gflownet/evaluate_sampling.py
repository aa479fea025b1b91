"""Evaluation of a sampler: beside uniform random building, and beside the exact target where that is known."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from graphwright.algorithms.registry import find_algorithm
from graphwright.core import GraphBatch
from graphwright.core.numbers import require
from graphwright.drawing.reports import SampledDistribution, save_figures
from graphwright.envs.generative.many_objectives import ManyObjectives
from graphwright.envs.rollouts import uniform_choice
from graphwright.functional.pareto import hypervolume, igd, pareto_front, r2, simplex_weights
from graphwright.training.agent import Agent
from graphwright.training.gflownet.conditions import Goal
from graphwright.training.gflownet.data import given_objects
from graphwright.training.gflownet.evaluator import estimated_log_z, likelihood_of, missed
from graphwright.training.gflownet.goals import GoalEvaluation, evaluate_goals
from graphwright.training.gflownet.measuring import Measures
from graphwright.training.gflownet.modes import Tanimoto, find_modes, top_k_diversity
from graphwright.training.gflownet.sampler import NO_EXPLORATION, Sampler
from graphwright.training.gflownet.sampling import sample_forward


@dataclass(frozen=True)
class ParetoEvaluation:
    """Objectives of the sampler's objects, and of random ones: volume that they dominate above 0 (more is better), R2
    with the ideal 1 and inverted generational distance to the front of both together (less is better)."""

    hypervolume: float
    hypervolume_random: float
    r2: float
    r2_random: float
    igd: float
    igd_random: float


@dataclass(frozen=True)
class SamplingEvaluation:
    """What a sampler does.

    log_z: what its networks say of log Z; log_z_exact: log Z; total_variation: half the L1 distance of the exact
    distribution of its objects from R / Z; None where they are not defined, as log Z of instances that differ, and
    where R is too large a number. Rewards are those without the exponent β, log Z that with it. The rest is of
    `objects` sampled ones and of as many that were built by uniform random choice: mean reward, mean of the `top` best,
    how many are different; where objects have fingerprints, modes (`flow.modes.find_modes`) and the mean Tanimoto
    distance of the `top` best; where there are several objectives, how their fronts compare. goals: what objects come
    to under fixed conditions, where these vary. Of given objects, their mean log-likelihood and the rank correlation
    of likelihood and reward. advice: which objects are drawn too rarely, and what to try.
    """

    objects: int
    log_z: float | None
    log_z_exact: float | None
    total_variation: float | None
    mean_reward: float | None
    mean_reward_random: float | None
    mean_log_reward: float
    mean_log_reward_random: float
    top: int
    top_reward: float | None
    top_reward_random: float | None
    different: int
    different_random: int
    modes: int | None
    modes_random: int | None
    top_diversity: float | None
    top_diversity_random: float | None
    pareto: ParetoEvaluation | None
    goals: list[GoalEvaluation]
    mean_log_likelihood: float | None
    likelihood_rank_correlation: float | None
    advice: str | None
    seconds: float


@dataclass(frozen=True)
class SamplingOptions:
    """What to sample."""

    num: int = 1000
    """Objects."""
    top: int = 100
    """The best of which are looked at on their own."""
    mode_reward: float = 0.9
    """Least reward of a mode."""
    mode_similarity: float = 0.5
    """Tanimoto similarity below which modes are different."""
    seed: int = 1
    """Of the objects."""
    beta: float | None = None
    """Exponent of the reward, for samplers that were trained on many; by default the greatest."""
    preference: tuple[float, ...] | None = None
    """Weights of the objectives, for samplers that were trained on many; by default drawn."""
    focus: tuple[float, ...] | None = None
    """Direction in the space of objectives, for samplers that were trained on many; by default drawn."""
    data: str | None = None
    """File of finished objects whose likelihood is wanted too: .jsonl, .smi, .npz or .txt, as `sample` writes them."""
    trajectories: int = 16
    """Trajectories by which the likelihood of each is estimated."""

    def __post_init__(self) -> None:
        """Raise ValueError where there is nothing to look at."""
        require("num", self.num)
        require("top", self.top)
        require("mode-similarity", self.mode_similarity, 0, 1)
        require("trajectories", self.trajectories)

    @property
    def goal(self) -> Goal:
        """The conditions."""
        return Goal(self.beta, self.preference, self.focus)


DEFAULTS = SamplingOptions()


def evaluate_sampling(
    agent: Agent, options: SamplingOptions = DEFAULTS, pictures: Path | None = None
) -> SamplingEvaluation:
    """What `options.num` objects, sampled anew, say of the agent's sampler, beside as many that are built at random.

    pictures: a folder for figures of the objects and of their rewards; None for none.
    """
    environment = agent.config.environment
    start = time.perf_counter()
    objects = agent.sample(options.num, options.seed, options.goal)
    seconds = time.perf_counter() - start
    generator = torch.Generator().manual_seed(options.seed)
    instances = agent.config.collection.instances(agent.problem, environment, options.num, generator, options.goal)
    random = sample_forward(environment, instances, uniform_choice(environment.actions, generator)).objects
    reward = agent.config.collection.reward
    with agent.config.collection.measures(agent.problem, environment) as measure:
        measures, measures_random = measure(objects), measure(random)
        exact = agent.exact(measure)
        config, policy = agent.config.collection, agent.policy
        goals = evaluate_goals(agent.problem, environment, config, policy, measure, options.num, options.seed)
        given = given_objects(agent.problem, environment, "--data", options.data, None)
        likely = (
            {} if given is None else likelihood_of(environment, config, policy, given, measure, options.trajectories)
        )
        of_z = _finite(log_z(agent, options, measure)) if agent.problem.sampled.one_instance else None
    found, found_random = reward.combine(measures, objects), reward.combine(measures_random, random)
    if pictures is not None:
        drawn = None if exact is None else SampledDistribution(exact.space, exact.sampled(agent.policy), exact.target)
        save_figures(agent.problem, environment, reward, objects, measures, found_random, drawn, pictures)
    modes, spread = _modes(agent, objects, found, options)
    modes_random, spread_random = _modes(agent, random, found_random, options)
    return SamplingEvaluation(
        objects=options.num,
        log_z=of_z,
        log_z_exact=None if exact is None else exact.log_z,
        total_variation=None if exact is None else exact.total_variation(agent.policy),
        mean_reward=_finite(float(found.exp().mean())),
        mean_reward_random=_finite(float(found_random.exp().mean())),
        mean_log_reward=float(found.mean()),
        mean_log_reward_random=float(found_random.mean()),
        top=min(options.top, options.num),
        top_reward=_top(found, options.top),
        top_reward_random=_top(found_random, options.top),
        different=len(set(environment.keys(objects))),
        different_random=len(set(environment.keys(random))),
        modes=modes,
        modes_random=modes_random,
        top_diversity=spread,
        top_diversity_random=spread_random,
        pareto=compare_fronts(measures, measures_random) if isinstance(reward, ManyObjectives) else None,
        goals=goals,
        mean_log_likelihood=likely.get("mean_log_likelihood"),
        likelihood_rank_correlation=likely.get("likelihood_rank_correlation"),
        advice=None if exact is None else missed(exact, exact.sampled(policy)),
        seconds=seconds,
    )


def log_z(agent: Agent, options: SamplingOptions, measure: Measures) -> float:
    """What the networks of `agent` say of log Z, averaged over trajectories of their own."""
    config, environment = agent.config, agent.config.environment
    generator = torch.Generator().manual_seed(options.seed)
    instances = config.collection.instances(agent.problem, environment, min(options.num, 512), generator, options.goal)
    trajectories = Sampler(environment, agent.policy, NO_EXPLORATION, generator).sample_forward(instances)
    objective = find_algorithm(config.algorithm).load().of(config.settings, config.algorithm)
    return estimated_log_z(environment, config.collection, objective, agent.policy, trajectories, measure)


def compare_fronts(measures: Tensor, random: Tensor) -> ParetoEvaluation:
    """measures, random: [B, K] in [0, 1]."""
    points = [measures.numpy(), random.numpy()]
    both = np.concatenate(points)
    front, zero, ideal = both[pareto_front(both)], np.zeros(both.shape[1]), np.ones(both.shape[1])
    weights = simplex_weights(both.shape[1], 10)
    volumes = [hypervolume(each[pareto_front(each)], zero) for each in points]
    return ParetoEvaluation(
        *volumes, *(r2(each, weights, ideal) for each in points), *(igd(each, front) for each in points)
    )


def _modes(
    agent: Agent, objects: GraphBatch, log_reward: Tensor, options: SamplingOptions
) -> tuple[int | None, float | None]:
    """Modes among `objects`, and the diversity of the best."""
    if agent.problem.sampled.fingerprints is None:
        return None, None
    similarity = Tanimoto(agent.problem.sampled.fingerprints(agent.config.environment, objects))
    rewards = log_reward.exp().numpy()
    modes = len(find_modes(rewards, similarity, options.mode_reward, options.mode_similarity))
    return modes, _finite(top_k_diversity(rewards, similarity, options.top))


def _top(log_reward: Tensor, count: int) -> float | None:
    return _finite(float(log_reward.topk(min(count, log_reward.numel())).values.exp().mean()))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
