"""Whole episodes of fresh instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.core.numbers import require_each
from graphwright.data.rollout import Episodes
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.environment import Environment
from graphwright.envs.problem import Problem
from graphwright.envs.rollouts import repeat_each, unroll
from graphwright.nn import GraphPolicy
from graphwright.training.collectors.collector import Collected, Collector
from graphwright.training.collectors.play import PlayCollector, PlayConfig
from graphwright.training.collectors.tables import action_table, require_steps, store_states


@dataclass(frozen=True)
class EpisodesConfig(PlayConfig):
    """Whole episodes of fresh instances."""

    num_instances: int = 32
    """Instances between updates."""
    num_samples: int = 16
    """Episodes of each instance."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be collected."""
        require_each(self, "", ("num_instances", "num_samples"))

    @override
    def collector(
        self, problem: Problem, environment: Environment, source: GeneratedInstances, generator: torch.Generator
    ) -> Collector:
        return EpisodeCollector(environment, source, self.num_instances, self.num_samples, generator)


class EpisodeCollector(PlayCollector):
    """`num_samples` whole episodes of each of `num_instances` fresh instances: no episode is left over."""

    source: GeneratedInstances

    def __init__(
        self,
        environment: Environment,
        source: GeneratedInstances,
        num_instances: int,
        num_samples: int,
        generator: torch.Generator,
    ) -> None:
        self.environment = environment
        super().__init__(source)
        self.num_instances = num_instances
        self.num_samples = num_samples
        self.generator = generator

    @override
    def collect(self, policy: Any) -> Collected:
        instances = self.source.draw(self.num_instances)
        episodes = collect_episodes(self.environment, instances, self.num_samples, policy, self.generator)
        return Collected(episodes, episodes.num_steps, {"return": episodes.returns.mean()})


def collect_episodes(
    environment: Environment, instances: GraphBatch, num_samples: int, policy: GraphPolicy, generator: torch.Generator
) -> Episodes:
    """`num_samples` whole episodes of each of `instances`."""
    start = environment.reset(repeat_each(instances, num_samples))
    returns = torch.zeros(start.num_graphs, device=start.device)
    episodes, states, actions, graphs = [], [], [], []
    for transition in unroll(environment, start, lambda observation: policy.act(observation, generator).action):
        episodes.append(transition.episode)
        states.append(transition.state)
        actions.append(transition.action)
        graphs.append(transition.graphs)
        returns[transition.episode] += transition.reward
    require_steps(states)
    return Episodes(
        states=store_states(environment, instances, [episode // num_samples for episode in episodes], states),
        action=action_table(environment.actions, actions, graphs),
        episode=torch.cat(episodes).to(torch.int32),
        returns=returns.view(-1, num_samples),
    )
