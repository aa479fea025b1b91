"""`evaluate`: what a policy is worth, measured as what it learned asks for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphwright.core import GraphBatch
from graphwright.training.agent import Agent
from graphwright.training.collectors.play import ConfigError
from graphwright.training.control import ControlOptions, evaluate_policy
from graphwright.training.evaluate_solutions import EvaluationOptions, evaluate_solutions
from graphwright.training.evaluate_team import TeamOptions, evaluate_team
from graphwright.training.games.evaluate_games import GameOptions, evaluate_games
from graphwright.training.gflownet.evaluate_sampling import SamplingOptions, evaluate_sampling


def evaluate(
    agent: Agent,
    options: EvaluationOptions | SamplingOptions | ControlOptions | TeamOptions | GameOptions | None = None,
    instances: Mapping[str, GraphBatch] | None = None,
    pictures: Path | None = None,
) -> Any:
    """A list of `EvaluationRow`s of a policy that solves, of `ControlRow`s of one that controls what never ends, of
    `TeamRow`s of one that several agents follow, of `GameRow`s of one that plays a game, a `SamplingEvaluation` of one
    that samples.

    instances: a user's named batches to solve; pictures: a folder for pictures of what is sampled.

    Raises ConfigError where options are for the other kind, or make no graphs.
    """
    if agent.problem.is_game:
        if not isinstance(options, GameOptions | None) or instances is not None or pictures is not None:
            raise ConfigError(f"{agent.problem.name}: is a game; evaluate it with GameOptions, and no more")
        return evaluate_games(agent, options or GameOptions())
    if isinstance(options, GameOptions):
        raise ConfigError(f"{agent.problem.name}: is no game; evaluate it without GameOptions")
    if agent.problem.is_team:
        if not isinstance(options, TeamOptions | None) or instances is not None or pictures is not None:
            raise ConfigError(f"{agent.problem.name}: is played by a team; evaluate it with TeamOptions, and no more")
        return evaluate_team(agent, options or TeamOptions())
    if isinstance(options, TeamOptions):
        raise ConfigError(f"{agent.problem.name}: is not played by a team; evaluate it without TeamOptions")
    if agent.problem.is_endless:
        if isinstance(options, EvaluationOptions | SamplingOptions) or pictures is not None:
            raise ConfigError(f"{agent.problem.name}: never ends; evaluate it with ControlOptions, and no pictures")
        return evaluate_policy(agent, options or ControlOptions(), instances)
    if isinstance(options, ControlOptions):
        raise ConfigError(f"{agent.problem.name}: ends; evaluate it without ControlOptions")
    if agent.samples:
        if isinstance(options, EvaluationOptions) or instances is not None:
            raise ConfigError(
                f"{agent.problem.name}: samples objects; evaluate it with SamplingOptions, and no instances"
            )
        return evaluate_sampling(agent, options or SamplingOptions(), pictures)
    if isinstance(options, SamplingOptions) or pictures is not None:
        raise ConfigError(
            f"{agent.problem.name}: solves instances; evaluate it with EvaluationOptions, and no pictures"
        )
    return evaluate_solutions(agent, options or EvaluationOptions(), instances)
