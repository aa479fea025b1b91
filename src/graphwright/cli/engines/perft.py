"""`graphwright perft hive --depth N`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated, Any

import torch
import tyro

from graphwright.cli.options import AsJson
from graphwright.cli.terminal import empty_table, print_found
from graphwright.core.numbers import require
from graphwright.envs.games.hive.environment import EXPANSIONS, Hive, with_expansions
from graphwright.envs.games.hive.perft import perft
from graphwright.envs.games.hive.problem import HIVE
from graphwright.training.config import ConfigError

_DEEPEST = 8


@dataclass(frozen=True)
class Perft:
    """Count the sequences of moves from the beginning of a game, by which rules are compared."""

    game: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="GAME")]
    """The game; hive is the one that is counted."""
    expansions: str = ""
    """Pieces beside those of the base game: letters of M (mosquito), L (ladybug), P (pillbug)."""
    depth: int = 4
    """The most moves."""
    json: AsJson = False

    def run(self) -> None:
        """Count, and print a table or JSON."""
        if self.game != HIVE.name:
            raise ConfigError(f"perft {self.game}: counts the moves of {HIVE.name} only; name that")
        letters = self.expansions.upper()
        if len(set(letters)) != len(letters) or not set(letters) <= set(EXPANSIONS):
            raise ConfigError(f"--expansions {self.expansions}: give letters of {''.join(EXPANSIONS)}, each once")
        require("depth", self.depth, 1, _DEEPEST)
        rows = self._count(letters)
        table = empty_table(None, ("depth", "sequences of moves", "seconds"))
        for row in rows:
            table.add_row(str(row["depth"]), f"{row['count']:,}", f"{row['seconds']:.2f}")
        known = "".join(letter for letter in EXPANSIONS if letter in letters)
        print_found({"game": HIVE.name, "expansions": known, "counts": rows}, table, self.json)

    def _count(self, letters: str) -> list[dict[str, Any]]:
        game = Hive(limit=0)
        state = game.reset(with_expansions(letters, HIVE.generator()(1, torch.Generator())))
        perft(state, 1)  # compiles
        rows = []
        for depth in range(1, self.depth + 1):
            begin = time.perf_counter()
            (count,) = perft(state, depth)
            rows.append({"depth": depth, "count": count, "seconds": round(time.perf_counter() - begin, 4)})
        return rows
