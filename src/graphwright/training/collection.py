"""Collection on problems: its settings, and the collectors that play episodes of random instances."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.optimizer import require
from graphwright.core import GraphBatch
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.environment import Environment
from graphwright.envs.generators import InstanceGenerator
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Expert, Problem, Solver
from graphwright.envs.vector import VectorEnv, VectorEnvironment
from graphwright.envs.wrappers.penalized import Penalized, PenalizedOptimization
from graphwright.nn.actors import CategoricalActor
from graphwright.training.collector import Collected, Collector
from graphwright.training.collectors import collect_demonstrations, collect_episodes, collect_steps
from graphwright.training.validation import ValidationConfig


class ConfigError(ValueError):
    """Settings that make no run; the message names the option."""


@dataclass(frozen=True)
class InvalidConfig:
    """What becomes of illegal actions."""

    handling: Literal["mask", "penalty", "severity"] = "mask"
    """mask rules them out; penalty lets them change nothing and punishes them; severity by how bad they are."""
    penalty: float = 1.0
    """What an illegal action costs."""
    limit: float = 1.0
    """Unless they are masked, an episode ends after so many illegal actions for each node of its graph."""


@dataclass(frozen=True)
class PlayConfig(ABC):
    """Which instances are played, and how. Validation: the class of the settings of how the run is watched."""

    Validation: ClassVar[type] = ValidationConfig

    generator: str | None = None
    """Random graphs to train on, with options as in watts-strogatz:k=4,p=0.3; by default the problem's own."""
    sizes: tuple[int, ...] | None = None
    """Numbers of nodes; each graph's is drawn from this list. By default the problem's own."""
    weights: str | None = None
    """How graphs become instances, by a name that the problem has; by default its first."""
    invalid: InvalidConfig = field(default_factory=InvalidConfig)

    def completed(self, problem: Problem) -> Self:
        """These settings with the problem's own instances where none are named."""
        return replace(
            self,
            generator=self.generator or problem.topology,
            sizes=self.sizes or problem.sizes,
            weights=self.weights or next(iter(problem.weights)),
        )

    def played(self, environment: Environment) -> Environment:
        """`environment` as it is played: its illegal actions masked or punished. Raises ConfigError where it cannot."""
        if self.invalid.handling == "mask":
            return environment
        if self.invalid.handling == "severity" and not isinstance(environment, Optimization):
            raise ConfigError("--invalid.handling severity: nothing says how bad an action is; take mask or penalty")
        by: Literal["count", "severity"] = "severity" if self.invalid.handling == "severity" else "count"
        if isinstance(environment, Optimization):
            return PenalizedOptimization(environment, self.invalid.penalty, by, self.invalid.limit)
        return Penalized(environment, self.invalid.penalty, by, self.invalid.limit)

    def instances(self, problem: Problem) -> InstanceGenerator:
        """Where training instances come from. Raises ConfigError naming the options."""
        return make_generator(problem, self.generator, self.sizes, self.weights)

    @abstractmethod
    def collector(
        self, problem: Problem, environment: Environment, source: GeneratedInstances, generator: torch.Generator
    ) -> Collector:
        """What collects so from `environment`. Raises ConfigError where the problem does not allow it."""


@dataclass(frozen=True)
class StepsConfig(PlayConfig):
    """Steps of live episodes that run on from one update to the next."""

    num_envs: int = 256
    """Episodes side by side."""
    num_steps: int = 16
    """Steps of each between updates."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be collected."""
        require("num-envs", self.num_envs)
        require("num-steps", self.num_steps)

    @override
    def collector(
        self, problem: Problem, environment: Environment, source: GeneratedInstances, generator: torch.Generator
    ) -> Collector:
        return StepCollector(VectorEnvironment(environment, source, self.num_envs), self.num_steps, generator, source)


@dataclass(frozen=True)
class EpisodesConfig(PlayConfig):
    """Whole episodes of fresh instances."""

    num_instances: int = 32
    """Instances between updates."""
    num_samples: int = 16
    """Episodes of each instance."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be collected."""
        require("num-instances", self.num_instances)
        require("num-samples", self.num_samples)

    @override
    def collector(
        self, problem: Problem, environment: Environment, source: GeneratedInstances, generator: torch.Generator
    ) -> Collector:
        return EpisodeCollector(environment, source, self.num_instances, self.num_samples, generator)


@dataclass(frozen=True)
class DemonstrationsConfig(PlayConfig):
    """Whole episodes of fresh instances, in which an expert takes a share of the steps and comments on all."""

    num_instances: int = 64
    """Instances between updates; each is solved exactly."""
    num_samples: int = 4
    """Episodes of each instance."""
    expert_share: float = 0.7
    """β: part of the steps that the expert takes, the policy choosing among what it approves of."""
    solver_seconds: float = 1.0
    """Time for the solver, each instance; where it runs out, the best solution found is imitated."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be collected."""
        require("num-instances", self.num_instances)
        require("num-samples", self.num_samples)
        require("expert-share", self.expert_share, 0, 1)
        require("solver-seconds", self.solver_seconds, 0)

    @override
    def collector(
        self, problem: Problem, environment: Environment, source: GeneratedInstances, generator: torch.Generator
    ) -> Collector:
        if problem.solve_exactly is None or problem.expert is None:
            raise ConfigError(f"--algorithm imitation: {problem.name} has no expert to imitate; take reinforce or ppo")
        return DemonstrationCollector(
            environment, problem.optimization, problem.solve_exactly, problem.expert, source, self, generator
        )


class StepCollector(Collector):
    """`num_steps` steps of every live episode. source: where fresh instances come from, if it has a memory."""

    def __init__(
        self,
        vector: VectorEnv,
        num_steps: int,
        generator: torch.Generator,
        source: GeneratedInstances | None = None,
    ) -> None:
        self.vector = vector
        self.num_steps = num_steps
        self.generator = generator
        self.source = source
        self.returns = torch.zeros(vector.num_envs, device=vector.state.device)  # so far, of the live episodes

    @override
    def collect(self, policy: Any) -> Collected:
        rollout = collect_steps(self.vector, policy, self.num_steps, self.generator)
        done = rollout.terminated | rollout.truncated
        return Collected(rollout, rollout.num_steps, {"return": self._mean_return(rollout.reward, done, rollout.lost)})

    @override
    def state_dict(self) -> dict[str, Tensor]:
        live = {f"live.{name}": tensor for name, tensor in self.vector.state.to_tensors().items()}
        return {"returns": self.returns, **live, **_position(self.source)}

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        device = self.returns.device
        self.returns = state["returns"].to(device)
        live = {key.removeprefix("live."): tensor for key, tensor in state.items() if key.startswith("live.")}
        self.vector.state = GraphBatch.from_tensors(live).to(device)
        _resume_source(self.source, state)

    def _mean_return(self, reward: Tensor, done: Tensor, lost: Tensor) -> Tensor:
        """Mean return of the episodes that ended in [T, B] steps, those left out that were lost; NaN where none did."""
        total, count = reward.new_zeros(()), reward.new_zeros(())
        for step_reward, step_done, step_ended in zip(reward, done, done & ~lost, strict=True):
            self.returns = self.returns + step_reward
            total = total + (self.returns * step_ended).sum()
            count = count + step_ended.sum()
            self.returns = self.returns.masked_fill(step_done, 0)
        return total / count


class EpisodeCollector(Collector):
    """`num_samples` whole episodes of each of `num_instances` fresh instances: no episode is left over."""

    def __init__(
        self,
        environment: Environment,
        source: GeneratedInstances,
        num_instances: int,
        num_samples: int,
        generator: torch.Generator,
    ) -> None:
        self.environment = environment
        self.source = source
        self.num_instances = num_instances
        self.num_samples = num_samples
        self.generator = generator

    @override
    def collect(self, policy: Any) -> Collected:
        instances = self.source.draw(self.num_instances)
        episodes = collect_episodes(self.environment, instances, self.num_samples, policy, self.generator)
        return Collected(episodes, episodes.num_steps, {"return": episodes.returns.mean()})

    @override
    def state_dict(self) -> dict[str, Tensor]:
        return _position(self.source)

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        _resume_source(self.source, state)


class DemonstrationCollector(Collector):
    """Whole episodes of fresh instances that `solve` solves in `own` environment, commented on by `expert`."""

    def __init__(
        self,
        environment: Environment,
        own: Optimization,
        solve: Solver,
        expert: Expert,
        source: GeneratedInstances,
        config: DemonstrationsConfig,
        generator: torch.Generator,
    ) -> None:
        self.environment = environment
        self.own = own
        self.solve = solve
        self.expert = expert
        self.source = source
        self.config = config
        self.generator = generator

    @override
    def collect(self, policy: Any) -> Collected:
        if not isinstance(policy.actor, CategoricalActor):
            raise ConfigError(
                "--algorithm imitation: needs the probability of every candidate; take a head that scores them all"
            )
        instances = self.source.draw(self.config.num_instances)
        optimum = self.solve(self.own, instances, self.config.solver_seconds)
        if optimum.solution is None:
            raise ConfigError("--algorithm imitation: the exact solver gives no solutions to imitate")
        demonstrations = collect_demonstrations(
            self.environment,
            instances,
            optimum.solution,
            self.expert,
            policy,
            self.generator,
            num_samples=self.config.num_samples,
            expert_share=self.config.expert_share,
        )
        return Collected(demonstrations, demonstrations.num_steps, {"return": demonstrations.returns.mean()})

    @override
    def state_dict(self) -> dict[str, Tensor]:
        return _position(self.source)

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        _resume_source(self.source, state)


def make_generator(
    problem: Problem, topology: str | None, sizes: tuple[int, ...] | None, weights: str | None
) -> InstanceGenerator:
    """The generator that three options describe, None for the problem's own. Raises ConfigError naming the options."""
    try:
        return problem.generator(topology, sizes, weights)
    except ValueError as error:
        named = {"generator": topology, "sizes": " ".join(map(str, sizes)) if sizes else None, "weights": weights}
        options = " ".join(f"--{name} {value}" for name, value in named.items() if value is not None)
        raise ConfigError(f"{options or problem.name}: {error}") from None


def _position(source: GeneratedInstances | None) -> dict[str, Tensor]:
    return {} if source is None else {"position": torch.tensor(source.position)}


def _resume_source(source: GeneratedInstances | None, state: Mapping[str, Tensor]) -> None:
    if source is not None:
        source.load_state_dict({"position": int(state["position"])})
