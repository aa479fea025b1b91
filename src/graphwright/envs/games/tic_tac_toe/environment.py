"""Tic-tac-toe, and k in a row on any grid."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from graphwright.core import ActionSpec, Features, GraphBatch, per_node
from graphwright.envs.games.lines.game import LineGame, PerfectPlay, cell, one_ply
from graphwright.envs.games.opponents import random_moves
from graphwright.envs.problem import Problem


@dataclass(frozen=True)
class TicTacToe(LineGame):
    """Take empty cells in turn; who first has `in_a_row` in a row, column or diagonal wins, a full board is a draw.

    Instance: a board (`Board`) with the edge column `diagonal` [E, 1] float32: whether two cells meet in a corner only.
        Rows and columns are alike, so that rotations and reflections are the same graph.
    State: who owns each cell, see `StoneGame`.
    Observation: per cell `mine`, `theirs`, and for both sides of each empty cell the fullest line through it that the
        other side has no stone in: `my_line` (its stones and this one, over `in_a_row`; 0: none) and `my_lines`
        (log(1 + how many are that full)), `their_line`, `their_lines`.
    Action: an empty cell. Reward: 1 for the move that wins, else 0.
    """

    features = Features(
        nodes=dict.fromkeys(("mine", "theirs", "my_line", "their_line", "my_lines", "their_lines"), 1),
        edges={"diagonal": 1},
    )
    actions = ActionSpec(per_node("take"))


def board(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """Boards with the edge column that the game reads. Nothing is drawn."""
    source, destination = cell(graph)[graph.edge_index]
    diagonal = (source != destination).all(1).float().unsqueeze(1)
    return graph.keep(["position"]).with_edges(diagonal=diagonal)


TIC_TAC_TOE = Problem(
    name="tic-tac-toe",
    summary="take cells in turn, three (or k) in a row win",
    objective="score",
    environment=TicTacToe(),
    topology="board",
    sizes=(3,),
    laws={"empty": board},
    opponents={"random": random_moves, "one-ply": one_ply, "perfect": PerfectPlay(16)},
    training={
        "algorithm": "expert-iteration",
        "encoder": {"kind": "gin", "width": 32, "depth": 2},  # which reads edges
        "heads": {"pool": "sum-mean-max", "value_pool": "sum-mean-max"},
        "collection": {
            "self-play": {"num_envs": 1024, "num_steps": 8},
            "expert-games": {"num_games": 128, "search": "puct", "opening": 4, "num_minibatches": 32},
        },
        "ppo": {"minibatch_size": 1024, "epochs": 2, "entropy_coefficient": 0.03},
        "validation": {"every": 5, "games": 1024, "opening": 5},  # so many that a single line that loses is met
    },
)
