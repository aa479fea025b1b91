"""`graphwright evaluate RUN` of a run on a game of two sides."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

import tyro
from rich.table import Table
from typing_extensions import override

from graphwright.cli.evaluate import Evaluate
from graphwright.cli.terminal import empty_table, marked
from graphwright.training.agent import Agent
from graphwright.training.evaluate import evaluate
from graphwright.training.games.evaluate_games import GameOptions, GameRow
from graphwright.training.statistics import Interval


@dataclass(frozen=True, kw_only=True)
class EvaluateGames(Evaluate):
    """Let a policy play matches against the opponents of its game, on boards of several sizes, sides swapped.

    `graphwright match` plays one of them, against other runs too, and shows the moves.
    """

    options: Annotated[GameOptions, tyro.conf.arg(name="")]

    @override
    def measure(self, agent: Agent) -> tuple[dict[str, Any], Table]:
        rows = evaluate(agent, self.options)
        document = {
            "problem": agent.problem.name,
            "run": str(self.directory),
            "games": self.options.games,
            "simulations": self.options.simulations,
            "opening": self.options.opening,
            "rows": [dataclasses.asdict(row) for row in rows],
        }
        return document, _table(f"{agent.problem.name}: {self.directory}, {self.options.games} games each", rows)


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
