"""Pictures of games for their pages: `one-ply` plays itself from an empty board for some moves, seed 0.

python benchmarks/learning/boards.py [--games hive shannon] [--out docs/images]
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro

from graphwright.core import GraphBatch
from graphwright.drawing.style import ACCENT, EDGE, GREY, INK, PALE, new_figure, save_figure
from graphwright.envs.problem import Problem
from graphwright.envs.registry import find_problem

MOVES = {"tic-tac-toe": (3, 5), "connect-four": (6, 14), "shannon": (20, 8), "hive": (1, 14)}
"""Game → size of the board, and how many moves have been made."""
INSECTS = "QABGSMLP"


@dataclass(frozen=True)
class Options:
    """What to draw."""

    games: tuple[str, ...] = tuple(MOVES)
    """Names of games."""
    out: Path = Path("docs/images")
    """Folder for NAME.png."""


def main(options: Options) -> None:
    for name in options.games:
        size, moves = MOVES[name]
        problem = find_problem(name)
        state = played(problem, size, moves)
        places, owner, labels = pieces(state) if name == "hive" else cells(state)
        figure = new_figure(4.2, 3.8)
        axes = figure.subplots()
        if name != "hive":
            for ends in state.edge_index.T.tolist():
                axes.plot(*places[ends].T, color=EDGE, linewidth=1, zorder=1)
        for side, colour in ((-1, PALE), (0, ACCENT), (1, INK)):
            rows = owner == side
            axes.scatter(*places[rows].T, s=330 if len(places) < 60 else 120, color=colour, edgecolors=GREY, zorder=2)
        for place, label, side in zip(places, labels, owner, strict=True):
            colour = GREY if side < 0 else PALE
            axes.annotate(label, place, ha="center", va="center", color=colour, fontsize=9, zorder=3)
        axes.set(aspect="equal")
        axes.margins(0.15)
        axes.axis("off")
        save_figure(figure, options.out / f"{name}.png")
        print(f"{options.out / name}.png: after {moves} moves")


def played(problem: Problem, size: int, moves: int) -> GraphBatch:
    """The state of one game after so many moves."""
    generator = torch.Generator().manual_seed(0)
    state = problem.game.reset(problem.generator(sizes=(size,))(1, generator))
    for _ in range(moves):
        state = problem.game.step(state, problem.opponent("one-ply")(problem.game, state, generator)).state
    return state


def cells(state: GraphBatch) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Places [N, 2], owners [N] and letters of the nodes of a board; T where something is to be joined."""
    terminal = state.nodes.get("terminal", torch.zeros(state.num_nodes))
    place = state.nodes["position"].double().numpy() * (1, -1)
    return place, state.nodes["owner"].long().numpy(), ["T" if mark else "" for mark in terminal.tolist()]


def pieces(state: GraphBatch) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The same of the pieces of Hive that lie on the table, by their initials."""
    nodes = {name: column.long().numpy() for name, column in state.nodes.items() if column.dim() == 1}
    lies = nodes["level"] >= 0
    place = np.stack([nodes["q"] + nodes["r"] / 2, -nodes["r"] * 3**0.5 / 2], axis=1)[lies]
    return place, nodes["owner"][lies], [INSECTS[kind] for kind in nodes["kind"][lies]]


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
