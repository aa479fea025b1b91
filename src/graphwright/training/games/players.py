"""Players: an `Opponent` is a function from states to moves, whoever makes it up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.game import Game
from graphwright.envs.problem import Opponent, Problem
from graphwright.search.evaluation import by_network
from graphwright.search.search import SearchSettings, search, search_by_playouts
from graphwright.training.collectors.play import ConfigError

MOST_SIMULATIONS = 100_000


@dataclass(frozen=True, eq=False)
class PolicyPlayer:
    """A policy without search. draws: whether it draws its moves, rather than to make the most probable."""

    policy: Any
    draws: bool = False

    def __call__(self, game: Game, states: GraphBatch, generator: torch.Generator) -> Tensor:
        """[B] int64."""
        seen = game.observe(states)
        return self.policy.act(seen, generator).action if self.draws else self.policy.best(seen)


@dataclass(frozen=True, eq=False)
class SearchPlayer:
    """A policy with a critic that searches before it moves, without chance."""

    policy: Any
    settings: SearchSettings

    def __call__(self, game: Game, states: GraphBatch, generator: torch.Generator) -> Tensor:
        """[B] int64."""
        return search(game, states, by_network(game, self.policy), self.settings).action


@dataclass(frozen=True)
class PlayoutPlayer:
    """UCT: a search without a network, by random games."""

    simulations: int

    def __call__(self, game: Game, states: GraphBatch, generator: torch.Generator) -> Tensor:
        """[B] int64."""
        return search_by_playouts(game, states, self.simulations, generator).action


def policy_player(policy: Any, simulations: int, draws: bool = False) -> Opponent:
    """A policy as it plays: with so many simulations before each move, or with none. Raises ConfigError."""
    if not 0 <= simulations <= MOST_SIMULATIONS:
        raise ConfigError(f"--simulations {simulations}: give 0 to {MOST_SIMULATIONS}")
    if not simulations:
        return PolicyPlayer(policy, draws)
    if draws:
        raise ConfigError("--decode sample: a search makes the best move that it finds; leave out one of the two")
    return SearchPlayer(policy, SearchSettings(simulations))


def find_opponent(problem: Problem, name: str, option: str = "--opponent") -> Opponent:
    """The opponent of that name, `uct-N` among them. Raises ConfigError, listing the names, where there is none.

    option: what to blame; where it is "--opponent", a run would do too.
    """
    if found := re.fullmatch(r"uct-([0-9]{1,9})", name):
        simulations = int(found[1])
        if not 1 <= simulations <= MOST_SIMULATIONS:
            raise ConfigError(f"{option} {name}: give 1 to {MOST_SIMULATIONS} simulations")
        return PlayoutPlayer(simulations)
    if name not in problem.opponents:
        no_run, or_run = (", and it is no run directory", ", or name a run") if option == "--opponent" else ("", "")
        raise ConfigError(
            f"{option} {name}: {problem.name} has none of this name{no_run}; choose one of "
            f"{', '.join(problem.opponents)}, uct-N with a number of simulations{or_run}"
        )
    return problem.opponents[name]
