"""Steps of foreign episodes, which nobody can save: after an interruption all of them begin anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.envs.vector import VectorEnv
from graphwright.training.collectors.collector import Collector
from graphwright.training.collectors.play import ConfigError
from graphwright.training.collectors.replay import N_STEP, ExploringReplayConfig, ReplayConfig
from graphwright.training.collectors.replay_collector import ReplayCollector
from graphwright.training.collectors.steps import StepCollector

REPLAYS: dict[str, type[ReplayConfig]] = {"replay": ReplayConfig, "exploring-replay": ExploringReplayConfig}
"""The settings of each collector that remembers steps, by its name in the registry of algorithms."""
_OF_REPLAYS = (
    "n_step",
    "capacity",
    "megabytes",
    "warm_up",
    "num_minibatches",
    "minibatch_size",
    "priority",
    "exploration",
)
"""What they say of foreign episodes; the rest is about instances and files of this library."""


class ForeignStepCollector(StepCollector):
    """`num_steps` steps of every live episode."""

    @override
    def state_dict(self) -> dict[str, Tensor]:
        return {}

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.returns, self.lengths = torch.zeros_like(self.returns), torch.zeros_like(self.lengths)


class ForeignReplayCollector(ReplayCollector):
    """`num_steps` steps of every live episode into a replay, which is saved as it is."""

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        begun = self.vector.state
        if (known := len(state["returns"])) != self.vector.num_envs:
            raise ValueError(f"{known} episodes were played side by side, and the vector has {self.vector.num_envs}")
        super().load_state_dict(state)
        self.vector.state = begun
        self.here = self.replay.add_states(begun, instances=self.vector.instances)
        self.returns, self.lengths = torch.zeros_like(self.returns), torch.zeros_like(self.lengths)


def make_collector(
    vector: VectorEnv, num_steps: int, replay: ReplayConfig | None, generator: torch.Generator
) -> Collector:
    """What plays the episodes of `vector`, `num_steps` of each at a time. replay: what is remembered, if anything."""
    if replay is None:
        return ForeignStepCollector(vector, num_steps, generator)
    config = dataclasses.replace(replay, num_envs=vector.num_envs, num_steps=num_steps)
    return ForeignReplayCollector(vector, config, config.n_step or min(N_STEP, num_steps), generator)


def require_replay(algorithm: str, collector: str, replay: ReplayConfig | None, num_steps: int) -> None:
    """Raise ConfigError where an algorithm is fed otherwise, or where `replay` says what means nothing here.

    num_steps: of each episode between updates, which `replay` may repeat, as it bounds its `n_step`.
    """
    if replay is None:
        return
    if collector not in REPLAYS:
        raise ConfigError(f"replay: algorithm={algorithm!r} learns from each step once; leave it out")
    wanted = REPLAYS[collector]
    if type(replay) is not wanted:
        given = type(replay).__name__
        raise ConfigError(f"replay: algorithm={algorithm!r} is fed by a {wanted.__name__}, not by a {given}")
    plain = wanted()
    if replay.num_steps == num_steps:
        plain = dataclasses.replace(plain, num_steps=num_steps)
    for each in dataclasses.fields(replay):
        if each.name not in _OF_REPLAYS and getattr(replay, each.name) != getattr(plain, each.name):
            raise ConfigError(f"replay.{each.name}: says nothing of the episodes of others; leave it out")
