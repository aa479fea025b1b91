"""Evaluation of teams of any size: success, returns and lengths, with random choice and scripted agents beside."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from graphwright.core import GraphBatch
from graphwright.core.files import read_whole
from graphwright.core.numbers import require
from graphwright.envs.problem import Problem
from graphwright.envs.team import Team
from graphwright.training.acting import RANDOM, act_of_agents, act_of_rule, drawing
from graphwright.training.agent import Agent
from graphwright.training.collectors.play import ConfigError, IdentityConfig, make_generator
from graphwright.training.columns import require_networks
from graphwright.training.play_teams import SUCCESS, PlayedTeams, play_teams
from graphwright.training.statistics import mean_interval, wilson

_MOST_BYTES = 1 << 24  # of a file of maps


@dataclass(frozen=True)
class TeamOptions:
    """Which teams play, and for how long."""

    agents: tuple[int, ...] | None = None
    """Numbers of agents, one row each; by default those to train on."""
    episodes: int = 100
    """Episodes of each."""
    seed: int = 1
    """Seed of all that is random."""
    law: str | None = None
    """The law by which instances are drawn; by default that of the run."""
    maps: tuple[Path, ...] = ()
    """Files of maps to play on, one after the other, instead of random ones; of problems that have maps."""
    decode: Literal["greedy", "sample"] | None = None
    """Of a trained policy: greedy takes the likeliest action, sample draws; by default as the run was validated."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option."""
        require("episodes", self.episodes)
        if self.agents == ():
            raise ConfigError("--agents: give at least one number of agents")


def score(played: PlayedTeams) -> dict[str, float]:
    """Means over episodes with their 95 % intervals, `_low` and `_high`: of success by Wilson, of others by Student."""
    found: dict[str, float] = {}
    numbers = {**played.measures, "return_per_agent": played.returns, "length": played.length.double()}
    for name, values in numbers.items():
        if name == SUCCESS:
            interval = wilson(float(values.sum()), values.numel())
        else:
            interval = mean_interval(values, *((0.0, 1.0) if name in played.shares else ()))
        found |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return found


@dataclass(frozen=True)
class TeamRow:
    """What teams of one size came to.

    score: see `score`, of the policy; baselines: the same of each baseline, of the same instances. seconds: of the
    policy's episodes.
    """

    agents: int
    episodes: int
    seconds: float
    score: dict[str, float]
    baselines: dict[str, dict[str, float]]

    def as_dict(self) -> dict[str, Any]:
        """With the numbers of the policy as keys of their own."""
        rest = {"seconds": self.seconds, "baselines": self.baselines}
        return {"agents": self.agents, "episodes": self.episodes, **self.score, **rest}


def require_team(problem: Problem, environment: object) -> Team:
    """`environment`. Raises ConfigError where no team plays it."""
    if not isinstance(environment, Team):
        raise ConfigError(f"{problem.name}: is not played by a team")
    return environment


def instances_of(
    problem: Problem,
    agents: int,
    options: TeamOptions,
    law: str | None = None,
    identity: IdentityConfig | None = None,
) -> GraphBatch:
    """`options.episodes` instances of teams of that size, whose agents are told apart if `identity` says so.

    Raises ConfigError naming the options.
    """
    generator = make_generator(problem, None, (agents,), options.law or law)
    if options.maps:
        if problem.law_of_files is None:
            raise ConfigError(f"--maps: {problem.name} has no maps; leave it out")
        if options.law:
            raise ConfigError(f"--law {options.law}: draws random maps, and --maps names others; leave one of them out")
        texts = {str(path): _text_of(path) for path in options.maps}
        generator = replace(generator, columns=problem.law_of_files(texts))
    if identity is not None:
        generator = identity.identified(generator)
    return generator(options.episodes, torch.Generator().manual_seed(options.seed))


def _text_of(path: Path) -> str:
    """What a file of maps holds. Raises ConfigError, naming it, where that is no text as UTF-8."""
    data = read_whole(path, _MOST_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # as between the letters of UTF-16
        raise ConfigError(f"--maps {path}: is not UTF-8; save it as UTF-8")
    return text


def evaluate_team(agent: Agent, options: TeamOptions, baselines: bool = True) -> list[TeamRow]:
    """A row for each number of agents, with random choice and the problem's baselines beside it, if wanted."""
    return [row for row, _ in play_rows(agent, options, baselines)]


def play_rows(
    agent: Agent, options: TeamOptions, baselines: bool = True, record: bool = False
) -> list[tuple[TeamRow, PlayedTeams]]:
    """The rows of `evaluate_team`, and the episodes of the policy."""
    problem, environment = agent.problem, require_team(agent.problem, agent.config.played)
    own, collection = require_team(problem, agent.config.environment), agent.config.collection
    found = []
    require_networks(agent.config, options.agents or ())
    decode = agent.decoding(options.decode)
    for number in options.agents or collection.sizes or problem.sizes:
        instances = instances_of(problem, number, options, collection.law, collection.identity)
        act = act_of_agents(agent.policy, environment, drawing(decode, agent.policy, options.seed))
        began = time.perf_counter()
        played = play_teams(environment, instances.to(agent.device), act, record)
        seconds = time.perf_counter() - began
        names = [RANDOM, *problem.baselines] if baselines else []
        others = {
            name: score(play_teams(own, instances, act_of_rule(problem, own, name, options.seed))) for name in names
        }
        found.append((TeamRow(number, options.episodes, seconds, score(played), others), played))
    return found


def play_rule(
    problem: Problem, environment: Team, name: str, options: TeamOptions, record: bool = False
) -> list[tuple[TeamRow, PlayedTeams]]:
    """The same of the baseline of that name, or of "random". Raises ConfigError where there is none."""
    found = []
    for number in options.agents or problem.sizes:
        instances = instances_of(problem, number, options)
        began = time.perf_counter()
        act = act_of_rule(problem, environment, name, options.seed)
        played = play_teams(environment, instances, act, record)
        found.append((TeamRow(number, options.episodes, time.perf_counter() - began, score(played), {}), played))
    return found


def joined(records: list[tuple[int, Mapping[str, np.ndarray]]]) -> dict[str, np.ndarray]:
    """The recordings of teams of several sizes as one, filled up with NaN or -1; `sizes` [episodes] are the teams'."""
    names = list(records[0][1])
    widest = {name: tuple(np.max([part[name].shape[1:] for _, part in records], axis=0).astype(int)) for name in names}
    arrays = {}
    for name in names:
        parts = []
        for _, part in records:
            values = part[name]
            nothing = np.nan if values.dtype.kind == "f" else -1
            padding = [(0, 0), *((0, wide - have) for wide, have in zip(widest[name], values.shape[1:], strict=True))]
            parts.append(np.pad(values, padding, constant_values=nothing))
        arrays[name] = np.concatenate(parts)
    arrays["sizes"] = np.concatenate([np.full(len(part["lengths"]), number) for number, part in records])
    return arrays
