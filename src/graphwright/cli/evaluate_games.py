"""What `graphwright evaluate` says of games of two sides."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated, Any

import tyro
from rich.table import Table
from typing_extensions import override

from graphwright.cli.evaluate import Evaluate
from graphwright.cli.evaluate_policy import ByName
from graphwright.cli.terminal import empty_table, marked
from graphwright.envs.problem import Problem
from graphwright.training.agent import Agent
from graphwright.training.evaluate import evaluate
from graphwright.training.games.evaluate_games import GameOptions, GameRow, evaluate_opponent
from graphwright.training.statistics import Interval


@dataclass(frozen=True, kw_only=True)
class EvaluateGames(Evaluate):
    """Let a policy play matches against the opponents of its game, on boards of several sizes, sides swapped.

    `graphwright match` plays one of them, against other runs too, and shows the moves.
    """

    options: Annotated[GameOptions, tyro.conf.arg(name="")]

    @override
    def measure(self, agent: Agent) -> tuple[dict[str, Any], Table]:
        simulations = {"simulations": self.options.simulations}
        head = {"problem": agent.problem.name, "run": str(self.directory), "games": self.options.games, **simulations}
        return _found(head, evaluate(agent, self.options), self.options)


@dataclass(frozen=True, kw_only=True)
class EvaluateGamePolicy(ByName):
    """Let an opponent of a game, random choice among them, play matches against all, on boards of several sizes."""

    options: Annotated[GameOptions, tyro.conf.arg(name="")] = field(default_factory=GameOptions)

    @override
    def measure(self, problem: Problem) -> tuple[dict[str, Any], Table]:
        rows = evaluate_opponent(problem, self.played, self.policy, self.options)
        return _found({"problem": problem.name, "policy": self.policy, "games": self.options.games}, rows, self.options)


def _found(head: dict[str, Any], rows: list[GameRow], options: GameOptions) -> tuple[dict[str, Any], Table]:
    """For programs and for people; head: who played what."""
    who = head["run"] if "run" in head else head["policy"]
    document = {**head, "opening": options.opening, "rows": [dataclasses.asdict(row) for row in rows]}
    return document, _table(f"{head['problem']}: {who}, {options.games} games each", rows)


def _table(title: str, rows: list[GameRow]) -> Table:
    headings = ("size", "opponent", "won", "drawn", "lost", "score", "95 % interval", "first", "second")
    table = empty_table(marked(title), headings, left="opponent")
    for row in rows:
        shares = (
            f"{row.score:.1%}",
            Interval(row.score, row.low, row.high).percent(),
            f"{row.first:.1%}",
            f"{row.second:.1%}",
        )
        table.add_row(str(row.size), row.opponent, str(row.wins), str(row.draws), str(row.losses), *shares)
    return table
