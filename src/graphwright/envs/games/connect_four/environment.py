"""Connect Four, on boards of any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, per_node
from graphwright.core.segment import segment_sum
from graphwright.envs.games.lines.game import LineGame, PerfectPlay, cell, one_ply
from graphwright.envs.games.opponents import random_moves
from graphwright.envs.problem import Problem


@dataclass(frozen=True)
class ConnectFour(LineGame):
    """Drop discs into columns in turn; who first has `in_a_row` in a row, column or diagonal wins.

    Instance: a board (`Board`) with the edge columns `vertical`, `horizontal` [E, 1] float32, and `rests` [E] bool: an
        edge from the cell below to the cell that rests on it. Left and right are alike.
    State: who owns each cell, see `StoneGame`.
    Observation: per cell what `TicTacToe` shows, and `open` (a disc would fall here), `height` (the share of the rows
        that lie below) and `odd` (whether that is an even number of rows, which is what zugzwang turns on).
    Action: the cell into which the disc falls. Reward: 1 for the move that wins, else 0.
    """

    in_a_row: int = 4
    """Discs in a row that win."""

    falls: ClassVar[bool] = True
    features = Features(
        nodes=dict.fromkeys(
            (*("mine", "theirs", "my_line", "their_line", "my_lines", "their_lines"), *("open", "height", "odd")), 1
        ),
        edges={"vertical": 1, "horizontal": 1},
    )
    actions = ActionSpec(per_node("drop"))

    @override
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        return Observation(
            seen.graph.with_nodes(open=seen.masks[0].float(), height=state.nodes["height"], odd=state.nodes["odd"]),
            seen.masks,
        )

    @override
    def legal(self, state: GraphBatch) -> Tensor:
        """[N] bool: the lowest empty cell of each column."""
        empty = state.nodes["owner"] < 0
        hollow = state.edges["rests"] & empty[state.edge_index[0]]
        return empty & (segment_sum(hollow, state.in_edges) == 0)


def board(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """Boards with the columns that the game reads. Nothing is drawn."""
    place = cell(graph)
    source, destination = place[graph.edge_index]
    vertical, horizontal = (source == destination).T
    row = place[:, 1]
    rows = torch.zeros_like(graph.node_ptr[:-1]).scatter_reduce(0, graph.node_graph, row, "amax") + 1
    below = rows[graph.node_graph] - 1 - row
    return (
        graph.keep(["position"])
        .with_nodes(height=below / rows[graph.node_graph], odd=(below % 2 == 0).float())
        .with_edges(
            vertical=vertical.float().unsqueeze(1),
            horizontal=horizontal.float().unsqueeze(1),
            rests=vertical & (source[:, 1] > destination[:, 1]),
        )
    )


CONNECT_FOUR = Problem(
    name="connect-four",
    summary="drop discs into columns in turn, four in a row win",
    objective="score",
    environment=ConnectFour(),
    topology="board:columns=7",
    sizes=(6,),
    laws={"empty": board},
    opponents={"random": random_moves, "one-ply": one_ply, "endgame": PerfectPlay(14, otherwise=True)},
    training={"encoder": {"kind": "gin"}},  # which reads edges
)
