"""Who moves for an engine: a run, or an opponent by its name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import tyro

from graphwright.cli.options import OnDevice, Threads, Trust
from graphwright.envs.game import Game
from graphwright.envs.problem import Opponent
from graphwright.envs.registry import GAMES
from graphwright.training.agent import load
from graphwright.training.config import ConfigError, use_threads
from graphwright.training.games.players import find_opponent, policy_player


class Engine(NamedTuple):
    """Who plays, what to call it, and the game as it has learned it."""

    player: Opponent
    name: str
    game: Game


@dataclass(frozen=True)
class EngineOptions:
    """Who plays."""

    directory: Annotated[tyro.conf.Positional[Path | None], tyro.conf.arg(metavar="RUN")] = None
    """Directory of a run on this game; without, an opponent plays."""
    opponent: str | None = None
    """Name of an opponent that plays in place of a run, as `graphwright problems` lists them, or uct-N."""
    simulations: int = 0
    """Simulations of a tree search before each move of a run; 0: none."""
    seed: int = 0
    """Seed of all that is random."""
    threads: Threads = 2
    device: OnDevice = "auto"
    trust: Trust = False

    def player(self, name: str, default: str) -> Engine:
        """Who plays the game `name`. Raises ConfigError where that is nobody."""
        use_threads(self.threads)
        problem = GAMES[name]
        if self.directory is None:
            if self.simulations:
                raise ConfigError("--simulations: an opponent does not search by them; name a RUN, or --opponent uct-N")
            chosen = self.opponent or default
            return Engine(find_opponent(problem, chosen), chosen, problem.game)
        if self.opponent is not None:
            raise ConfigError(f"--opponent {self.opponent}: a RUN is named too; leave out one of the two")
        agent = load(self.directory, self.device, trust=self.trust)
        if agent.problem.name != name:
            raise ConfigError(f"{self.directory}: is a run on {agent.problem.name}; this protocol plays {name}")
        player = policy_player(agent.policy, self.simulations)
        return Engine(player, str(self.directory), agent.config.environment)


@dataclass
class Conversation:
    """Lines from stdin to a session and its answers to stdout, until it says that it is over or nothing is left.

    is_over: whether the last answer was the last of all; whoever asked for the end may keep stdin open and wait for it.
    """

    answer: Callable[[str], str | None]
    greeting: str = ""
    is_over: Callable[[], bool] = lambda: False

    def run(self) -> None:
        """Read and answer. Whoever writes what is no text is answered too."""
        if self.greeting:
            print(self.greeting, flush=True)
        for line in sys.stdin.buffer:
            answer = self.answer(line.decode("utf-8", "replace"))
            if answer is None:
                return
            if answer:
                print(answer, flush=True)
            if self.is_over():
                return
