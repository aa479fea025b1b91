"""The fixed opponents of every game against each other: what a policy is measured by.

    python benchmarks/learning/opponents.py [--games 200] [--only hex shannon] [--out docs/tables/opponents.md]

Sides are swapped after each game. A share is points a game, a draw being half a one, with Wilson's 95 % interval.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import torch
import tyro

from graphwright.envs.registry import GAMES
from graphwright.training.games.match import play_match

PLAYED = {
    "tic-tac-toe": (3, ("random", "one-ply", "perfect")),
    "connect-four": (6, ("random", "one-ply", "endgame")),
    "hex": (5, ("random", "one-ply", "shortest-path", "resistance")),
    "shannon": (20, ("random", "one-ply", "shortest-path", "resistance")),
    "hive": (1, ("random", "one-ply")),
}
"""Game → size, and opponents that are quick enough for many games."""


@dataclass(frozen=True)
class Options:
    """What is played."""

    games: int = 200
    """Games of each pair; of Hive a tenth."""
    only: tuple[str, ...] = tuple(PLAYED)
    """Games that are played."""
    seed: int = 0
    """Of everything that is random."""
    out: Path | None = None
    """File for the table; stdout otherwise."""


def main(options: Options) -> None:
    """Play and print."""
    torch.set_num_threads(1)
    lines = [
        f"Fixed opponents against each other, {options.games} games a pair (Hive {max(options.games // 10, 2)}), "
        f"seed {options.seed}, {date.today()}.",
        "",
        "| game | size | of | against | points | 95 % | as first | as second |",
        "|---|---:|---|---|---:|---:|---:|---:|",
    ]
    for name in options.only:
        size, names = PLAYED[name]
        problem, generator = GAMES[name], torch.Generator().manual_seed(options.seed)
        count = max(options.games // 10, 2) if name == "hive" else options.games
        boards = problem.generator(sizes=(size,))(count // 2, generator)
        for weak, strong in itertools.combinations(names, 2):
            match = play_match(problem.game, boards, problem.opponent(strong), problem.opponent(weak), generator)
            both, first, second = (match.count(side).share for side in (None, 0, 1))
            lines.append(
                f"| {name} | {size} | {strong} | {weak} | {both.value:.1%} | {both.low:.1%} to {both.high:.1%} "
                f"| {first.value:.0%} | {second.value:.0%} |"
            )
    text = "\n".join(lines) + "\n"
    if options.out is None:
        print(text)
    else:
        options.out.write_text(text)


if __name__ == "__main__":
    main(tyro.cli(Options))
