"""Hex as a problem: the switching game on boards of any size."""

from __future__ import annotations

import torch

from graphwright.core import GraphBatch
from graphwright.envs.games.shannon.environment import Shannon
from graphwright.envs.games.shannon.problem import OPPONENTS, TRAINING
from graphwright.envs.problem import Problem


def board(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """Boards on which side 0, Short, joins the upper and the lower border. Nothing is drawn.

    Who cuts these apart has joined the left and the right border, the dual terminals: one of both always happens, and
    never both.
    """
    short = torch.zeros(graph.num_graphs, dtype=torch.int64, device=graph.device)
    return graph.keep(["position", "terminal", "dual_terminal"]).with_graphs(short=short)


HEX = Problem(
    name="hex",
    summary="join the upper with the lower border of a board, or the left with the right",
    objective="score",
    environment=Shannon(),
    topology="hex-board",
    sizes=(3, 4, 5),
    laws={"empty": board},
    opponents=OPPONENTS,
    training=TRAINING,
)
