"""`evaluate`: what a policy is worth, measured as what it learned asks for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from graphwright.core import GraphBatch
from graphwright.training.agent import Agent
from graphwright.training.collectors.play import ConfigError
from graphwright.training.control import ControlOptions, evaluate_policy
from graphwright.training.evaluate_solutions import EvaluationOptions, evaluate_solutions
from graphwright.training.evaluate_team import TeamOptions, evaluate_team
from graphwright.training.games.evaluate_games import GameOptions, evaluate_games
from graphwright.training.gflownet.evaluate_sampling import SamplingOptions, evaluate_sampling

Options = EvaluationOptions | SamplingOptions | ControlOptions | TeamOptions | GameOptions


def evaluate(
    agent: Agent,
    options: Options | None = None,
    instances: Mapping[str, GraphBatch] | None = None,
    pictures: Path | None = None,
) -> Any:
    """A list of `EvaluationRow`s of a policy that solves, of `ControlRow`s of one that controls what never ends, of
    `TeamRow`s of one that several agents follow, of `GameRow`s of one that plays a game, a `SamplingEvaluation` of one
    that samples.

    instances: a user's named batches to solve; pictures: a folder for pictures of what is sampled.

    Raises ConfigError where options are for the other kind, or make no graphs.
    """
    asked = _asked(agent)
    if options is not None and not isinstance(options, asked.options):
        raise ConfigError(f"{agent.problem.name}: {asked.since}; evaluate it with {asked.options.__name__}")
    for name, given in (("instances", instances), ("pictures", pictures)):
        if given is not None and name != asked.takes:
            raise ConfigError(f"{agent.problem.name}: {asked.since}; evaluate it without {name}")
    match options or asked.options():
        case GameOptions() as wanted:
            return evaluate_games(agent, wanted)
        case TeamOptions() as wanted:
            return evaluate_team(agent, wanted)
        case ControlOptions() as wanted:
            return evaluate_policy(agent, wanted, instances)
        case SamplingOptions() as wanted:
            return evaluate_sampling(agent, wanted, pictures)
        case wanted:
            return evaluate_solutions(agent, wanted, instances)


class _Asked(NamedTuple):
    """What an evaluation asks for. since: why; takes: what else it takes, if anything."""

    since: str
    options: type[Options]
    takes: str | None = None


def _asked(agent: Agent) -> _Asked:
    if agent.problem.is_game:
        return _Asked("is a game", GameOptions)
    if agent.problem.is_team:
        return _Asked("is played by a team", TeamOptions)
    if agent.problem.is_endless:
        return _Asked("never ends", ControlOptions, takes="instances")
    if agent.samples:
        return _Asked("samples objects", SamplingOptions, takes="pictures")
    return _Asked("solves instances", EvaluationOptions, takes="instances")
