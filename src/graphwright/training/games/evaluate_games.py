"""Evaluation of who plays a game: matches against the game's opponents, on boards of several sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.numbers import require
from graphwright.envs.game import Game
from graphwright.envs.problem import Opponent, Problem
from graphwright.training.agent import Agent
from graphwright.training.collectors.play import ConfigError, PlayConfig
from graphwright.training.games.boards import draw_boards
from graphwright.training.games.match import Match, play_match
from graphwright.training.games.players import find_opponent, policy_player


@dataclass(frozen=True)
class GameOptions:
    """Which matches."""

    sizes: tuple[int, ...] | None = None
    """Sizes of the boards; by default those that were trained on."""
    opponents: tuple[str, ...] | None = None
    """Names of opponents, `uct-100` among them; by default all of the game that know the size."""
    games: int = 200
    """Games of each match; an even number, since sides are swapped."""
    simulations: int = 0
    """Simulations of a tree search before each move of the policy; 0: none."""
    opening: int = 0
    """Moves at the beginning of each pair of games that are drawn at random."""
    seed: int = 1
    """Seed of all that is random."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option."""
        if self.games < 2 or self.games % 2:
            raise ConfigError(f"--games {self.games}: give an even number from 2 on, since sides are swapped")
        require("opening", self.opening, 0)
        if self.sizes == ():
            raise ConfigError("--sizes: give at least one size")


@dataclass(frozen=True)
class GameRow:
    """A match. score: points for each game, a draw being half a one, with Wilson's 95 % interval.

    first, second: the score of the games in which the policy had that side. distinct: how many games were different.
    """

    size: int
    opponent: str
    wins: int
    draws: int
    losses: int
    score: float
    low: float
    high: float
    first: float
    second: float
    distinct: int


def require_played(match: Match, opening: int) -> None:
    """Raise ConfigError, naming --opening, where some games were over before a player made a move."""
    if over := match.num_opened(opening):
        told = f"{over} of {match.num_games} games were over before a player made a move"
        raise ConfigError(f"--opening {opening}: {told}; draw fewer")


def evaluate_games(agent: Agent, options: GameOptions) -> list[GameRow]:
    """A row for each size and opponent. Raises ConfigError naming the option."""
    problem, collection, game = agent.problem, agent.config.collection, agent.config.environment
    player = policy_player(agent.policy, options.simulations)
    boards = _boards(problem, game, collection, options.sizes or collection.sizes, options)
    boards = {size: some.to(agent.device) for size, some in boards.items()}
    return _rows(problem, game, player, options, boards)


def evaluate_opponent(problem: Problem, game: Game, name: str, options: GameOptions) -> list[GameRow]:
    """The same of the opponent of that name, which plays all, itself too, on the problem's own boards."""
    opponent = find_opponent(problem, name, "--policy")

    def player(game: Game, states: GraphBatch, generator: torch.Generator) -> Tensor:
        try:
            return opponent(game, states, generator)
        except ValueError as error:
            raise ConfigError(f"--policy {name}: {error}") from None

    boards = _boards(problem, game, None, options.sizes or problem.sizes, options)
    return _rows(problem, game, player, options, boards)


def _boards(
    problem: Problem, game: Game, collection: PlayConfig | None, sizes: Sequence[int], options: GameOptions
) -> dict[int, GraphBatch]:
    """Of each size, one for each pair of games."""
    pairs = options.games // 2
    return {size: draw_boards(problem, game, collection, size, pairs, options.seed, "--sizes") for size in sizes}


def _rows(
    problem: Problem, game: Game, player: Opponent, options: GameOptions, boards: Mapping[int, GraphBatch]
) -> list[GameRow]:
    """A row for each size of `boards` and opponent."""
    rows = []
    for size, some in boards.items():
        for name in options.opponents or problem.opponents:
            opponent = find_opponent(problem, name, "--opponents")
            generator = torch.Generator(some.device).manual_seed(options.seed)
            try:
                match = play_match(game, some, player, opponent, generator, options.opening)
            except ConfigError:
                raise
            except ValueError as error:
                if options.opponents is not None:
                    raise ConfigError(f"--opponents {name}: {error}") from None
                continue  # it does not know boards of this size
            require_played(match, options.opening)
            count, share = match.count(), match.share()
            first, second = (match.count(side).share.value for side in (0, 1))
            numbers = (count.wins, count.draws, count.losses, share.value, share.low, share.high, first, second)
            rows.append(GameRow(size, name, *numbers, match.num_distinct))
    return rows
