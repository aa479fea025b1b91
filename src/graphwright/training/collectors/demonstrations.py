"""Episodes in which an expert takes a share of the steps and comments on all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.core.numbers import require, require_each
from graphwright.data.demonstrations import Demonstrations
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.environment import Environment
from graphwright.envs.experts import find_expert
from graphwright.envs.problem import Problem
from graphwright.envs.rollouts import has_choice, is_over, repeat_each, until_done
from graphwright.envs.team import graph_reward
from graphwright.envs.vector import VectorEnvironment
from graphwright.nn import GraphPolicy
from graphwright.training.collectors.collector import Collected, Collector
from graphwright.training.collectors.guidance import Guidance, Label
from graphwright.training.collectors.live import LiveCollector
from graphwright.training.collectors.play import PlayCollector, PlayConfig
from graphwright.training.collectors.tables import InstanceRows, require_steps, store_states


@dataclass(frozen=True)
class DemonstrationsConfig(PlayConfig):
    """Episodes of fresh instances, in which an expert takes a share of the steps and comments on all."""

    expert: str | None = None
    """Who is imitated: the name of a baseline or a heuristic, or "solver"; by default the first of solver, heuristics
    and baselines."""
    num_instances: int = 64
    """Instances between updates."""
    num_samples: int = 4
    """Episodes of each instance."""
    num_steps: int = 16
    """Where episodes never end: steps of each between updates, num-instances times num-samples of them side by side."""
    expert_share: float = 0.7
    """β: part of the steps that the expert takes at the beginning of the run; the policy takes the others."""
    final_expert_share: float | None = None
    """β at the end of the run, to which it goes linearly; by default it stays as it is."""
    settled_share: float = 1.0
    """Of the states in which the policy does what is right with a probability of 0.98 already, so many are learned
    from; they teach little, and are most of them later on."""
    solver_seconds: float = 1.0
    """Time for the solver, each instance; where it runs out, the best solution found is imitated."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be collected."""
        require_each(self, "", ("num_instances", "num_samples", "num_steps"))
        require("expert-share", self.expert_share, 0, 1)
        require(
            "final-expert-share",
            self.expert_share if self.final_expert_share is None else self.final_expert_share,
            0,
            1,
        )
        require("settled-share", self.settled_share, 0, 1)
        require("solver-seconds", self.solver_seconds, 0)

    def share(self, progress: float) -> float:
        """β at `progress` (0 to 1) of the run."""
        end = self.expert_share if self.final_expert_share is None else self.final_expert_share
        return self.expert_share + min(max(progress, 0.0), 1.0) * (end - self.expert_share)

    @override
    def collector(
        self, problem: Problem, environment: Environment, source: GeneratedInstances, generator: torch.Generator
    ) -> Collector:
        expert = find_expert(problem, problem.environment, self.expert)
        expert.require(problem.environment, source.largest())
        guidance = Guidance(environment, problem.environment, expert, generator, self.settled_share)
        if problem.is_endless:
            vector = VectorEnvironment(environment, source, self.num_instances * self.num_samples)
            return LiveDemonstrationCollector(vector, guidance, self, source)
        return DemonstrationCollector(guidance, source, self)


class DemonstrationCollector(PlayCollector):
    """Whole episodes of fresh instances, commented on by an expert, who knows beforehand where to go."""

    source: GeneratedInstances

    def __init__(self, guidance: Guidance, source: GeneratedInstances, config: DemonstrationsConfig) -> None:
        super().__init__(source)
        self.guidance = guidance
        self.config = config

    @override
    def collect(self, policy: Any) -> Collected:
        config, guidance = self.config, self.guidance
        instances = self.source.draw(config.num_instances)
        aims = guidance.expert.aims(guidance.own, instances, config.solver_seconds)
        share = config.share(self.progress)
        demonstrations, returns = collect_demonstrations(
            guidance, instances, aims, policy, num_samples=config.num_samples, expert_share=share
        )
        return Collected(demonstrations, demonstrations.states.num_states, {"return": returns.mean()})


class LiveDemonstrationCollector(LiveCollector):
    """Some steps of episodes that run on, commented on by an expert who looks at states alone."""

    def __init__(
        self, vector: VectorEnvironment, guidance: Guidance, config: DemonstrationsConfig, source: GeneratedInstances
    ) -> None:
        super().__init__(vector, source)
        self.guidance = guidance
        self.config = config

    @override
    @torch.no_grad()
    def collect(self, policy: Any) -> Collected:
        vector, guidance, share = self.vector, self.guidance, self.config.share(self.progress)
        played, states, labels, rewards, done = InstanceRows(vector.instances), [], [], [], []
        for _ in range(self.config.num_steps):
            states.append(vector.state)
            action, label = guidance.decide(policy, vector.state, vector.state, share)
            labels.append(label)
            step = vector.step(action)
            played.follow(step.terminated | step.truncated, step.fresh)
            rewards.append(graph_reward(vector.environment, step.reward, label.graphs))
            done.append(step.terminated | step.truncated)
        table = store_states(vector.environment, played.instances, played.rows, states)
        demonstrations = guidance.demonstrations(table, labels)
        over = torch.stack(done)
        ended = self.of_ended(torch.stack(rewards), over, torch.zeros_like(over))
        return Collected(demonstrations, demonstrations.states.num_states, ended)


@torch.no_grad()
def collect_demonstrations(
    guidance: Guidance,
    instances: GraphBatch,
    aims: GraphBatch,
    policy: GraphPolicy,
    *,
    num_samples: int,
    expert_share: float,
) -> tuple[Demonstrations, Tensor]:
    """`num_samples` whole episodes of each of `instances`, in which the expert takes a share of the steps.

    aims: what the expert wants to come to in each instance. Also [episodes] float32, the undiscounted returns.
    """
    environment = guidance.environment
    start, goal = environment.reset(repeat_each(instances, num_samples)), repeat_each(aims, num_samples)
    returns = torch.zeros(start.num_graphs, device=start.device)
    begun = has_choice(environment, environment.observe(start)).nonzero().squeeze(1)
    aim = goal.select(begun)
    labels: list[Label] = []

    def act(episode: Tensor, state: GraphBatch) -> Tensor:
        nonlocal aim
        if aim.num_graphs > episode.numel():  # some are over
            aim = goal.select(begun[episode])
        action, label = guidance.decide(policy, state, aim, expert_share)
        labels.append(label)
        return action

    episodes, states = [], []
    for transition in until_done(start.select(begun), act, environment.step, ends=is_over):
        assert transition.step is not None
        episodes.append(begun[transition.episode])
        states.append(transition.state)
        returns[episodes[-1]] += graph_reward(environment, transition.step.reward, labels[-1].graphs)
    require_steps(states)
    table = store_states(environment, instances, [episode // num_samples for episode in episodes], states)
    return guidance.demonstrations(table, labels), returns
