"""Collection of trajectories: of objects that are built, searched around, taken from data or replayed."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.gflownet.batch import FlowBatch
from graphwright.core import Features, GraphBatch
from graphwright.core.numbers import require
from graphwright.core.segment import Segments
from graphwright.envs.generation import Reward
from graphwright.envs.generative.enumeration import StateSpace
from graphwright.envs.problem import Problem
from graphwright.envs.reversible import Reversible
from graphwright.nn.gflownet_policy import FlowPolicy
from graphwright.training.checkpoint import with_prefix, without_prefix
from graphwright.training.collectors.collector import Collected, Collector
from graphwright.training.collectors.play import ConfigError
from graphwright.training.gflownet.conditions import ANY_GOAL, BETA, ConditionConfig, Goal, unconditioned
from graphwright.training.gflownet.data import learned_from
from graphwright.training.gflownet.hindsight import in_hindsight
from graphwright.training.gflownet.known import know
from graphwright.training.gflownet.known_sampler import KnownSampler
from graphwright.training.gflownet.measuring import ObjectMeasures
from graphwright.training.gflownet.recognised import recognised
from graphwright.training.gflownet.remembered import Remembered
from graphwright.training.gflownet.replay import ObjectReplay
from graphwright.training.gflownet.sampler import Sampler
from graphwright.training.gflownet.sources import Source, SourceContext, SourcesConfig, make_source
from graphwright.training.validation import DistributionValidationConfig


@dataclass(frozen=True)
class TrajectoriesConfig:
    """Trajectories of objects, and what is wanted of them."""

    Validation: ClassVar[type] = DistributionValidationConfig

    reward: Reward
    correct_automorphisms: bool = True
    """Whether each object is wanted as often as its reward says; otherwise that is divided by its symmetries."""
    count_once: bool = True
    """Whether what several objects are, as a molecule put together in several ways, is wanted only once."""
    reward_workers: int = 0
    """Processes that compute rewards; worth it from about 0.1 ms an object, as for RDKit's."""
    sources: SourcesConfig = field(default_factory=SourcesConfig)
    condition: ConditionConfig = field(default_factory=ConditionConfig)

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where a value makes no run."""
        require("reward-workers", self.reward_workers, 0)
        if self.reward.num_measures == 1 and (self.condition.focus or self.condition.preference is not None):
            name = "focus" if self.condition.focus else "preference"
            raise ValueError(f"--condition.{name}: the reward has only one objective; leave it out")

    def measures(self, problem: Problem, environment: Reversible) -> ObjectMeasures:
        """What the reward measures, in as many processes as are wanted; to be closed."""
        return ObjectMeasures(problem.name, environment, self.reward, self.reward_workers)

    def features(self, environment: Reversible) -> Features:
        """What a policy sees: the object and the conditions."""
        return self.condition.features(environment.features, self.reward.num_measures)

    def multiplicity(self, environment: Reversible, objects: GraphBatch) -> Tensor:
        """[B] float64: what is added to β log R, so that trajectories that are alike, and objects, count once."""
        if self.correct_automorphisms and self.count_once:
            return environment.log_multiplicity(objects)
        symmetries = environment.log_automorphisms(objects) if self.correct_automorphisms else 0.0
        shares = environment.log_share(objects) if self.count_once else 0.0
        return torch.zeros(objects.num_graphs, dtype=torch.float64) + symmetries + shares

    def wanted(self, environment: Reversible, objects: GraphBatch, measures: Tensor) -> Tensor:
        """[B] float64: β log R, and what makes up for trajectories and objects that are several but should be one."""
        return self.weighed(objects, measures) + self.multiplicity(environment, objects)

    def weighed(self, objects: GraphBatch, measures: Tensor) -> Tensor:
        """[B] float64: β log R."""
        return self.reward.combine(measures, objects) * objects.graphs[BETA]

    def check(self, problem: Problem, environment: Reversible, algorithm: str, objective: Any) -> None:
        """Raise ConfigError where `objective`, the class of that name, cannot learn from what is collected so."""
        if not objective.reuses and (self.sources.replay or self.sources.local_search):
            option = "replay" if self.sources.replay else "local-search"
            raise ConfigError(
                f"--sources.{option}: --algorithm {algorithm} learns from what it builds itself; leave it out"
            )
        self.sources.exploration.require_blocks(environment.actions)
        one_log_z = "log_z" in objective.learned
        if one_log_z and not problem.sampled.one_instance and not environment.features.graphs:
            raise ConfigError(
                f"--algorithm {algorithm}: learns one log Z, and instances of {problem.name} have one each; "
                "take vargrad, subtb or db"
            )
        if objective.compares and self.sources.num_samples == 1 and not self.shares_z(problem):
            raise ConfigError(
                f"--algorithm {algorithm}: compares trajectories of one instance and condition; "
                "give --sources.num-samples 2 or more"
            )

    def completed(self, problem: Problem, objective: Any) -> TrajectoriesConfig:
        """Without replay where none was asked for and `objective` could not learn from it."""
        alone = objective.compares and not self.shares_z(problem)  # what is replayed has nothing to be compared with
        if self.sources.replay is not None or (objective.reuses and not alone):
            return self
        return replace(self, sources=replace(self.sources, replay=0))

    def shares_z(self, problem: Problem) -> bool:
        """Whether all trajectories begin alike, so that they have one Z."""
        return problem.sampled.one_instance and not self.condition.varies

    def instances(
        self,
        problem: Problem,
        environment: Reversible,
        count: int,
        generator: torch.Generator,
        goal: Goal = ANY_GOAL,
    ) -> GraphBatch:
        """What objects are built on, with conditions: those of `goal`, others drawn."""
        return self.conditioned(problem.sampled.instances(environment, count, generator), generator, goal)

    def conditioned(self, instances: GraphBatch, generator: torch.Generator, goal: Goal = ANY_GOAL) -> GraphBatch:
        """`instances` with conditions: those of `goal`, others drawn."""
        goals = self.condition.goals(instances.num_graphs, self.reward.num_measures, generator, goal)
        return self.condition.attach(instances, goals)


class TrajectoryCollector(Collector):
    """Builds objects as `policy` would, or as the moving average of it would, and replays old ones.

    data: finished objects, states of the environment, of which some are sampled backward for each batch. recognises:
    whether states that are equal in other numberings become one, which is worth it for several steps on each batch.
    """

    recognises = True

    def __init__(
        self,
        problem: Problem,
        environment: Reversible,
        config: TrajectoriesConfig,
        policy: FlowPolicy,
        generator: torch.Generator,
        data: GraphBatch | None = None,
    ) -> None:
        sources = config.sources
        self.data = learned_from(problem, environment, sources, data)
        self.problem, self.environment = problem, environment
        self.config, self.generator = config, generator
        self.average = copy.deepcopy(policy) if sources.ema else policy
        self.sampler = Sampler(environment, self.average, sources.exploration, generator)
        self.replay = ObjectReplay(environment, sources.replay_capacity, sources.replay_by)
        self.measure = config.measures(problem, environment)
        self.multiplicity = Remembered(lambda states: config.multiplicity(environment, states))
        self.sources = sources
        self.source = self._make_source(self.sampler)
        self._latest: tuple[FlowBatch, Tensor] | None = None

    def know(self, space: StateSpace, times: int) -> None:
        """Walk among the states of `space`, which are all, if few; `times` as many, where settings do not say it."""
        if not self.config.shares_z(self.problem) or space.num_states > self.sources.known:
            return
        if (known := know(self.environment, space)) is not None:
            self.sources = self.sources.times(self.sources.known_times or times)
            self.source = self._make_source(KnownSampler(self.sampler, known))

    def _make_source(self, sampler: Sampler) -> Source:
        reward, condition = self.config.reward, self.config.condition
        given = SourceContext(reward, condition, reward.num_measures, sampler, self.measure, self.generator)
        return make_source(given, self.problem.sampled, self.sources, self.replay, self.data)

    @override
    def collect(self, policy: Any) -> Collected:
        trajectories, measures = next(self.source)
        if share := self.config.condition.hindsight:
            trajectories = in_hindsight(trajectories, measures, share, self.generator)
        if self.recognises:
            trajectories = recognised(self.environment, trajectories)
        objects = trajectories.objects
        batch = FlowBatch(
            self.environment.observe,
            self.environment.backward_masks,
            self.environment.undo,
            policy,
            trajectories,
            self._wanted(objects, measures).to(torch.float32),
            self._groups(trajectories.num_trajectories),
            lambda states: self._wanted(states, self.measure(states)),
        )
        self._latest = batch, measures
        reward = self.config.reward.combine(measures, objects).mean()
        return Collected(batch, trajectories.num_trajectories, {"return": reward})

    @override
    def after(self, metrics: Mapping[str, Tensor]) -> None:
        assert self._latest is not None
        (batch, measures), self._latest = self._latest, None
        sources = self.sources
        if sources.ema:
            self._move_average(batch.policy)
        if sources.replayed:
            fresh = torch.arange(sources.forward)
            by_loss = sources.replay_by == "loss"  # whole trajectories are seen for it
            wrong = batch.wrongness(metrics["log_z"])[fresh] if by_loss else torch.zeros(sources.forward)
            objects, measures = batch.trajectories.objects.select(fresh), measures[fresh]
            self.replay.add(objects, measures, self.config.reward.combine(measures, objects), wrong)

    @override
    def state_dict(self) -> dict[str, Tensor]:
        tensors = with_prefix("replay", self.replay.state_dict())
        return tensors | (with_prefix("average", self.average.state_dict()) if self.config.sources.ema else {})

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.replay.load_state_dict(without_prefix("replay", state))
        if self.config.sources.ema:
            self.average.load_state_dict(without_prefix("average", state))

    @override
    def __enter__(self) -> TrajectoryCollector:
        self.measure.__enter__()
        return self

    @override
    def __exit__(self, *error: Any) -> None:
        self.measure.__exit__(*error)

    def _groups(self, total: int) -> Segments:
        """The trajectories that share their Z."""
        if self.config.shares_z(self.problem):
            return Segments(torch.tensor([0, total]))
        each, forward = self.sources.num_samples, self.sources.forward
        return Segments.from_lengths(torch.tensor([each] * (forward // each) + [1] * (total - forward)))

    def _wanted(self, objects: GraphBatch, measures: Tensor) -> Tensor:
        """[M] float64: `TrajectoriesConfig.wanted`."""
        built = unconditioned(objects, self.environment.features)
        return self.config.weighed(objects, measures) + self.multiplicity(built)

    @torch.no_grad()
    def _move_average(self, policy: FlowPolicy) -> None:
        for own, new in zip(self.average.parameters(), policy.parameters(), strict=True):
            own.lerp_(new, 1 - self.sources.ema)
