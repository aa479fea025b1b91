"""Whole episodes in which an expert takes a share of the steps and comments on all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.algorithms.optimizer import require
from graphwright.core import GraphBatch
from graphwright.core.segment import Segments
from graphwright.data.demonstrations import Demonstrations
from graphwright.data.sources import GeneratedInstances
from graphwright.distributions import RaggedCategorical
from graphwright.envs.environment import Environment
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Expert, Problem, Solver
from graphwright.envs.rollouts import has_choice, is_over, repeat_each, until_done
from graphwright.envs.team import graph_reward
from graphwright.nn import GraphPolicy
from graphwright.nn.actors import CategoricalActor
from graphwright.training.collectors.collector import Collected, Collector
from graphwright.training.collectors.play import ConfigError, PlayCollector, PlayConfig
from graphwright.training.collectors.tables import require_steps, store_states


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


class DemonstrationCollector(PlayCollector):
    """Whole episodes of fresh instances that `solve` solves in `own` environment, commented on by `expert`."""

    source: GeneratedInstances

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
        super().__init__(source)
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


@torch.no_grad()
def collect_demonstrations(
    environment: Environment,
    instances: GraphBatch,
    solutions: GraphBatch,
    expert: Expert,
    policy: GraphPolicy,
    generator: torch.Generator,
    *,
    num_samples: int,
    expert_share: float,
) -> Demonstrations:
    """`num_samples` whole episodes of each of `instances`, in which the expert takes a share of the steps.

    solutions: a final state of each instance, at which the expert aims. Where it takes a step, it is the policy that
    draws among what the expert approves of; where the expert approves of nothing, the policy goes on alone.
    """
    start, goal = environment.reset(repeat_each(instances, num_samples)), repeat_each(solutions, num_samples)
    returns = torch.zeros(start.num_graphs, device=start.device)
    begun = has_choice(environment, environment.observe(start)).nonzero().squeeze(1)
    aim = goal.select(begun)
    approved, lengths = [], []
    graphs: Segments

    def act(episode: Tensor, state: GraphBatch) -> Tensor:
        nonlocal aim, graphs
        if aim.num_graphs > episode.numel():  # some are over
            aim = goal.select(begun[episode])
        observation = environment.observe(state)
        distribution, graphs = policy.distribution(observation), environment.actions.deciders(observation.graph)
        assert isinstance(distribution, RaggedCategorical)
        approved.append(expert(state, aim))
        lengths.append(environment.actions.joint(observation.graph, distribution.segments.lengths))
        return _guided(distribution, approved[-1], graphs, expert_share, generator)

    episodes, states = [], []
    for transition in until_done(start.select(begun), act, environment.step, ends=is_over):
        assert transition.step is not None
        episodes.append(begun[transition.episode])
        states.append(transition.state)
        returns[episodes[-1]] += graph_reward(environment, transition.step.reward, graphs)
    require_steps(states)
    return Demonstrations(
        states=store_states(environment, instances, [episode // num_samples for episode in episodes], states),
        approved=torch.cat(approved),
        candidates=Segments.from_lengths(torch.cat(lengths)),
        returns=returns,
    )


def _guided(
    distribution: RaggedCategorical,
    approved: Tensor,
    graphs: Segments,
    expert_share: float,
    generator: torch.Generator,
) -> Tensor:
    """[D] int64: a draw among what is `approved` [K] bool in a share of the graphs, and among everything elsewhere."""
    right = RaggedCategorical(distribution.logits, distribution.segments, approved).sample(generator)
    guided = torch.rand(graphs.num_groups, generator=generator, device=right.device) < expert_share
    return torch.where(guided[graphs.index] & (right >= 0), right, distribution.sample(generator))
