"""What self-play comes to: tic-tac-toe over all games, Hex from small boards to larger ones.

    python benchmarks/learning/games.py [--only tic-tac-toe hex] [--seconds 120] [--seeds 3] [--out docs/tables]

Each run is one `graphwright train` of the given time. Tic-tac-toe: the policy's most probable move against every reply,
from either side, so that "lost 0" means that it never loses, whoever plays. Others: matches with the sides swapped,
without search and with `--simulations`, with Wilson's 95 % intervals. `openspiel-uct-N` is OpenSpiel's search in C++.
A game is played by its usual rules, whatever a run learned by, and `--only shannon --runs RUN` lets a run of Hex play
Shannon's game. A pair of games begins alike with the sides swapped; who has more points in both has won it.
"""

from __future__ import annotations

import platform
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import torch
import tyro
from openspiel_uct import OpenSpielUct

from graphwright.envs.problem import Opponent, Problem
from graphwright.envs.registry import find_problem
from graphwright.training.agent import load
from graphwright.training.games.every_reply import against_every_reply
from graphwright.training.games.match import play_match
from graphwright.training.games.players import PolicyPlayer, find_opponent, policy_player

SIZES = {"hex": (5, 7, 9), "shannon": (20, 40), "connect-four": (6,), "hive": (1,)}
OPPONENTS = {
    "hex": ("random", "one-ply", "resistance", "uct-100"),
    "shannon": ("random", "one-ply", "resistance"),
    "connect-four": ("random", "one-ply", "uct-100"),
    "hive": ("random", "one-ply"),
}


@dataclass(frozen=True)
class Options:
    """What to train, and how it is measured."""

    only: tuple[str, ...] = ("tic-tac-toe",)
    """Games."""
    seconds: float = 120.0
    """Training time of each run."""
    seeds: int = 3
    """Runs of each game, with the seeds 0, 1, ..."""
    threads: int = 2
    """CPU threads."""
    options: str = ""
    """More options for `graphwright train`."""
    games: int = 200
    """Games of each match."""
    simulations: tuple[int, ...] = (0,)
    """Simulations before each move of the policy."""
    opening: int = 0
    """Moves at the beginning of each pair of games that are drawn at random."""
    runs: tuple[Path, ...] = ()
    """Directories of runs to measure, instead of training; one game only."""
    sizes: tuple[int, ...] | None = None
    """Sizes of the boards that are played on."""
    opponents: tuple[str, ...] | None = None
    """Opponents."""
    out: Path | None = None
    """Folder for the results, as games-NAME.md."""


def call(*arguments: object) -> str:
    """What `graphwright` prints."""
    command = [sys.executable, "-m", "graphwright", *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def tic_tac_toe(directory: str) -> list[dict[str, Any]]:
    """A row for each side: how all games end in which the policy has it."""
    agent = load(directory)
    board = agent.problem.generator(sizes=(3,))(1, torch.Generator().manual_seed(0))
    rows = []
    for side, name in enumerate(("first", "second")):
        generator = torch.Generator().manual_seed(0)
        score = against_every_reply(agent.config.environment, board, PolicyPlayer(agent.policy), side, generator)
        rows.append(
            {"size": 3, "opponent": f"every reply, policy moves {name}", **vars(score), "score": score.share[0]}
        )
    return rows


def matches(options: Options, name: str, directory: str) -> list[dict[str, Any]]:
    """A row for each size, opponent and number of simulations."""
    agent, rows = load(directory), []
    problem = find_problem(name)
    law = agent.config.collection.law if agent.problem.name == name else None
    for size in options.sizes or SIZES[name]:
        boards = problem.generator(sizes=(size,), law=law)(options.games // 2, torch.Generator().manual_seed(1))
        for opponent in options.opponents or OPPONENTS[name]:
            for simulations in options.simulations:
                generator = torch.Generator().manual_seed(1)
                one, other = policy_player(agent.policy, simulations), find(problem, name, size, opponent)
                match = play_match(problem.game, boards, one, other, generator, options.opening)
                score, pairs = match.count(), match.count_pairs()
                share = score.share._asdict()
                numbers = {**vars(score), "score": share.pop("value"), **share, "pairs": [pairs.wins, pairs.losses]}
                rows.append({"size": size, "opponent": opponent, "simulations": simulations, **numbers})
                print(rows[-1], file=sys.stderr, flush=True)
    return rows


def find(problem: Problem, name: str, size: int, opponent: str) -> Opponent:
    """The opponent of that name, among them `openspiel-uct-N`."""
    if not opponent.startswith("openspiel-uct-"):
        return find_opponent(problem, opponent)
    theirs = {"hex": f"hex(board_size={size})", "tic-tac-toe": "tic_tac_toe"}[name]
    return OpenSpielUct(theirs, int(opponent.rpartition("-")[2]))


def table(options: Options, name: str, rows: list[dict[str, Any]]) -> str:
    """As Markdown."""
    lines = [
        f"{name}: {options.seconds:g} s of training, {options.threads} threads; {date.today()}, {platform.machine()}, "
        "no GPU; `python benchmarks/learning/games.py`.",
        "",
        "| seed | steps | size | opponent | simulations | won | drawn | lost | score (95 %) | pairs won, lost |",
        "|---:|---:|---:|---|---:|---:|---:|---:|---|---|",
    ]
    for row in rows:
        span = f" ({row['low']:.1%} to {row['high']:.1%})" if "low" in row else ""
        pairs = ", ".join(map(str, row.get("pairs", ())))
        lines.append(
            f"| {row['seed']} | {row['steps']:,} | {row['size']} | {row['opponent']} | {row.get('simulations', 0)} | "
            f"{row['wins']} | {row['draws']} | {row['losses']} | {row['score']:.1%}{span} | {pairs} |"
        )
    return "\n".join(lines) + "\n"


def main(options: Options) -> None:
    for name in options.only:
        rows = []
        for seed in range(len(options.runs) or options.seeds):
            with tempfile.TemporaryDirectory() as folder:
                directory = f"{folder}/run"
                if options.runs:
                    directory = str(options.runs[seed])
                else:
                    ends = ["--seconds", options.seconds, "--seed", seed, "--threads", options.threads]
                    call("train", name, "--run", directory, *ends, *shlex.split(options.options))
                torch.set_num_threads(options.threads)
                found = tic_tac_toe(directory) if name == "tic-tac-toe" else matches(options, name, directory)
                *_, last = (Path(directory) / "metrics.csv").read_text().splitlines()
                rows += [{"seed": seed, "steps": int(last.split(",")[1]), **row} for row in found]
        text = table(options, name, rows)
        print(text)
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            (options.out / f"games-{name}.md").write_text(text)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
