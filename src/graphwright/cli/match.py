"""`graphwright match RUN --opponent NAME|RUN`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import tyro
from rich.table import Table

from graphwright.cli.board_files import read_boards
from graphwright.cli.instances import FileOptions
from graphwright.cli.options import OnDevice, Threads, Trust
from graphwright.cli.terminal import empty_table, marked, print_found
from graphwright.core import GraphBatch
from graphwright.core.doing import now
from graphwright.core.numbers import require
from graphwright.envs.problem import Opponent, Problem
from graphwright.training.agent import Agent, load
from graphwright.training.checkpoint import CONFIG_FILE
from graphwright.training.config import ConfigError, use_threads
from graphwright.training.games.boards import draw_boards
from graphwright.training.games.evaluate_games import require_played
from graphwright.training.games.match import Match, Score, play_match
from graphwright.training.games.players import find_opponent, policy_player
from graphwright.training.statistics import Interval

_SIDES = ("first", "second")
_RESULTS = {1: "win", 0: "draw", -1: "loss"}


@dataclass(frozen=True)
class MatchCommand:
    """Let a policy that was trained on a game play many games against an opponent or another policy.

    Sides are swapped after every game. An opponent has a name, as `graphwright problems` lists them; `uct-100` is a
    search by 100 random games for each move.
    """

    directory: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Directory of the run."""
    opponent: str
    """Name of an opponent, or the directory of a run on the same game."""
    games: int = 200
    """Games in all; an even number, since sides are swapped."""
    size: int | None = None
    """Size of the board, as for training; by default the largest that was trained on."""
    instances: tuple[Path, ...] = ()
    """Files to play on instead of boards of a size, one after the other, where the game is played on any graph."""
    files: Annotated[FileOptions, tyro.conf.arg(name="")] = field(default_factory=FileOptions)
    simulations: int = 0
    """Simulations of a tree search before each move of the policy; 0: none."""
    opponent_simulations: int = 0
    """The same of an opponent that is a run."""
    opening: int = 0
    """Moves at the beginning of each pair of games that are drawn at random; without, two policies that never draw a
    move play the same two games over and over."""
    decode: Literal["greedy", "sample"] = "greedy"
    """Of policies without search: greedy makes the likeliest move, sample draws."""
    seed: int = 1
    """Seed of all that is random."""
    threads: Threads = 2
    device: OnDevice = "auto"
    trust: Trust = False
    json: bool = False
    """Write one JSON document to stdout, with the moves of every game."""

    def run(self) -> None:
        """Play, and print a table or JSON."""
        if self.games < 2 or self.games % 2:
            raise ConfigError(f"--games {self.games}: give an even number from 2 on, since sides are swapped")
        require("opening", self.opening, 0)
        use_threads(self.threads)
        agent = load(self.directory, self.device, trust=self.trust)
        problem = require_game(agent)
        one = policy_player(agent.policy, self.simulations, self.decode == "sample")
        other = self._opponent(problem, agent)
        generator = torch.Generator(agent.device).manual_seed(self.seed)
        boards, on = self._boards(agent)
        boards = boards.to(agent.device)
        match = play_match(
            agent.config.environment,
            boards,
            one,
            other,
            generator,
            self.opening,
            lambda over: now(f"{over} of {self.games} games are over"),
        )
        require_played(match, self.opening)
        print_found(self._document(problem, on, match), self._table(problem, on, match), self.json)

    def _boards(self, agent: Agent) -> tuple[GraphBatch, dict[str, Any]]:
        """A board for each pair of games, and what the document says of them."""
        count = self.games // 2
        if not self.instances:
            size = board_size(agent, self.size)
            return boards_of(agent, size, count, self.seed), {"size": size}
        read = [board for _, board in read_boards(agent, self.instances, self.files, self.size)]
        together = GraphBatch.concat(read)
        return together.select(torch.arange(count) % len(read)), {"instances": [str(path) for path in self.instances]}

    def _opponent(self, problem: Problem, agent: Agent) -> Opponent:
        path = Path(self.opponent)
        if self.opponent in problem.opponents or not (path / CONFIG_FILE).exists():
            if self.opponent_simulations:
                raise ConfigError(f"--opponent-simulations: {self.opponent} is no run; leave it out")
            return find_opponent(problem, self.opponent)
        other = load(path, self.device, trust=self.trust)
        if other.problem.name != problem.name or other.config.environment != agent.config.environment:
            raise ConfigError(f"--opponent {path}: was trained on other rules ({other.problem.name}); take another run")
        return policy_player(other.policy, self.opponent_simulations, self.decode == "sample")

    def _document(self, problem: Problem, on: dict[str, Any], match: Match) -> dict[str, Any]:
        sides = {name: vars(match.count(side)) for side, name in enumerate(_SIDES)}
        moves = [[move for move in column if move >= 0] for column in match.moves.T.tolist()]
        played = zip(match.side.tolist(), match.outcome.tolist(), moves, strict=True)
        return {
            "problem": problem.name,
            "run": str(self.directory),
            "opponent": self.opponent,
            **on,
            "simulations": self.simulations,
            "opponent_simulations": self.opponent_simulations,
            "opening": self.opening,
            "decode": self.decode,
            "seed": self.seed,
            **_numbers(match.count(), match.share()),
            "distinct_games": match.num_distinct,
            "sides": sides,
            "played": [
                {"side": _SIDES[side], "outcome": _RESULTS[int(outcome)], "moves": own} for side, outcome, own in played
            ],
        }

    def _table(self, problem: Problem, on: dict[str, Any], match: Match) -> Table:
        where = f"size {on['size']}" if "size" in on else ", ".join(on["instances"])
        title = f"{problem.name}, {where}: {self.directory} against {self.opponent}"
        headings = ("side", "games", "won", "drawn", "lost", "score", "95 % interval")
        table = empty_table(marked(title), headings, left="side")
        for name, side in (("first", 0), ("second", 1), ("both", None)):
            score, share = match.count(side), match.share(side)
            numbers = (score.games, score.wins, score.draws, score.losses)
            table.add_row(name, *map(str, numbers), f"{share.value:.1%}", share.percent())
        if match.num_distinct < match.num_games:
            table.caption = (
                f"{match.num_distinct} different games, which the intervals count; --opening draws the first moves"
            )
        return table


def require_game(agent: Agent) -> Problem:
    """The game of a run. Raises ConfigError where it is none."""
    if not agent.problem.is_game:
        raise ConfigError(f"{agent.problem.name}: is no game of two sides; see `graphwright evaluate`")
    return agent.problem


def board_size(agent: Agent, size: int | None) -> int:
    """The size of a board that is asked for, or the largest of training. Raises ValueError, naming the option."""
    if size is None:
        return int(max(agent.config.collection.sizes))
    require("size", size)
    return size


def boards_of(agent: Agent, size: int, count: int, seed: int) -> GraphBatch:
    """`count` boards of that size, by the law of the run. Raises ConfigError where there are none."""
    return draw_boards(agent.problem, agent.config.environment, agent.config.collection, size, count, seed)


def _numbers(score: Score, share: Interval) -> dict[str, Any]:
    return {"games": score.games, **vars(score), "score": share.value, "low": share.low, "high": share.high}
