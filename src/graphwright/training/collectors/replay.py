"""Settings of a replay: what is remembered of live episodes, and how it is drawn again and again."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from typing_extensions import override

from graphwright.algorithms.optimizer import require, require_each
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.environment import Environment
from graphwright.envs.problem import Problem
from graphwright.envs.vector import VectorEnvironment
from graphwright.training.collectors.collector import Collector
from graphwright.training.collectors.play import ConfigError, PlayConfig
from graphwright.training.collectors.recorded_replay import recording_for
from graphwright.training.collectors.replay_collector import ReplayCollector
from graphwright.training.exploration import Behaviour, EpsilonConfig, EpsilonGreedy, as_the_policy

N_STEP = 4
"""Rewards of a transition where nothing else is said."""


@dataclass(frozen=True)
class ReplayConfig(PlayConfig):
    """Steps of live episodes, of which the newest are remembered and drawn again and again."""

    num_envs: int = 64
    """Episodes side by side."""
    num_steps: int = 8
    """Steps of each between updates."""
    n_step: int | None = None
    """Rewards of a transition, before the value of a state takes over; fewer where updates or episodes end, so at most
    `num_steps`. By default 4, or 1 where agents remember."""
    capacity: int = 50_000
    """Transitions that are remembered."""
    megabytes: int = 1024
    """Memory that they may take, in MiB; where it is full, the oldest give way."""
    warm_up: int = 2_048
    """Steps before the first update."""
    num_minibatches: int = 8
    """Minibatches of each update."""
    minibatch_size: int = 256
    """Transitions of each."""
    priority: float = 0.0
    """Transitions are drawn in proportion to their error to this power (0.6, say); 0 draws all alike."""
    sequence: int = 8
    """Steps in a row that are learned from together where agents remember (--memory)."""
    data: str = ""
    """A file that `graphwright record` wrote, whose steps are remembered from the beginning."""
    offline_updates: int = 0
    """Updates from that file alone, before the first step is played."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where nothing would be collected."""
        require_each(self, "", ("num_envs", "num_steps", "megabytes", "num_minibatches", "minibatch_size", "sequence"))
        require("capacity", self.capacity, self.num_envs * self.num_steps)
        require("warm-up", self.warm_up, 0, self.capacity)
        require("n-step", 1 if self.n_step is None else self.n_step, 1, self.capacity)
        if not self.data and self.n_step is not None and self.n_step > self.num_steps:
            short = f"is cut off where updates end, after --num-steps {self.num_steps}"
            raise ValueError(f"--n-step {self.n_step}: {short}; give 1 to {self.num_steps}")
        require("priority", self.priority, 0)
        require("offline-updates", self.offline_updates, 0)
        if self.offline_updates and not self.data:
            raise ValueError(f"offline-updates {self.offline_updates}: from which file? give --data FILE")

    @property
    def behaviour(self) -> Behaviour:
        """How the policy acts."""
        return as_the_policy

    @override
    def collector(
        self, problem: Problem, environment: Environment, source: GeneratedInstances, generator: torch.Generator
    ) -> Collector:
        if self.memory and (self.n_step or 1) > 1:
            raise ConfigError(f"--n-step {self.n_step}: what is remembered is learned step by step (--memory); take 1")
        if self.memory and self.priority:
            raise ConfigError(f"--priority {self.priority}: steps in a row are drawn alike (--memory); take 0")
        if self.memory and self.data:
            raise ConfigError(f"--data {self.data}: a recording says nothing of what was remembered (--memory); take 0")
        if self.identity.kind != "none" and self.data:
            raise ConfigError(
                f"--identity.kind {self.identity.kind}: a recording (--data) tells no agents apart; leave it out"
            )
        recording = recording_for(problem, environment, source, self.data, self.capacity) if self.data else None
        vector = VectorEnvironment(environment, source, self.num_envs)
        n_step = self.n_step or (1 if self.memory else N_STEP)
        return ReplayCollector(vector, self, n_step, generator, source, recording)


@dataclass(frozen=True)
class ExploringReplayConfig(ReplayConfig):
    """Steps of live episodes, some of them at random, of which the newest are remembered and drawn again and again."""

    num_minibatches: int = 32
    """Minibatches of each update."""
    minibatch_size: int = 64
    """Transitions of each; Q-learning gets further by many small gradient steps."""
    exploration: EpsilonConfig = field(default_factory=EpsilonConfig)

    @property
    @override
    def behaviour(self) -> Behaviour:
        return EpsilonGreedy(self.exploration, self.num_envs)
