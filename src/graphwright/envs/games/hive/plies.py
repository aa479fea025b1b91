"""What every move of a hive leads to, one ply deep."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.core.segment import Segments
from graphwright.envs.game import Game
from graphwright.envs.games.hive.board import CELL, CELLS, KIND, OWNER, QUEEN, clear, near, set_up
from graphwright.envs.games.hive.moves import MOST_MOVES, legal_moves
from graphwright.envs.games.hive.perft import STATE_COLUMNS

_WIN, _NEIGHBOUR = 10_000, 3


def mobility_of_moves(game: Game, state: GraphBatch) -> tuple[Tensor, Segments]:
    """What each candidate of the observed graphs is worth [K] float32, -inf where it is illegal, and the candidates of
    each graph: own moves minus those of the other side after it, 3 for each neighbour of the other queen more than of
    one's own, and 10,000 for a win."""
    seen = game.observe(state)
    legal, segments = game.actions.arrange(seen.graph, seen.masks), game.actions.segments(seen.graph)
    row = legal.nonzero().squeeze(1)
    graph, action = segments.index[row], segments.position[row]
    after = game.step(state.select(graph), action).state
    columns: list[Tensor] = [after.nodes[name].cpu() for name in STATE_COLUMNS]
    worth = np.empty(row.numel(), np.int64)
    _worth(*arrays(after.node_ptr.cpu(), *columns, after.graphs["player"].cpu()), worth)
    scores = torch.full(legal.shape, -torch.inf, device=state.device)
    scores[row] = torch.from_numpy(worth).float().to(state.device)
    return scores, segments


@jit_as_written
def _worth(node_ptr, kind, owner, q, r, level, last, player, worth):  # type: ignore[no-untyped-def]
    top, height = np.full(CELLS, -1, np.int8), np.zeros(CELLS, np.int8)
    marks, stamp, moves = np.zeros((2, CELLS), np.int64), np.zeros(1, np.int64), np.empty((MOST_MOVES, 2), np.int64)
    for graph in range(player.size):
        start, end = node_ptr[graph], node_ptr[graph + 1]
        size, newest = end - start, -1
        pieces = np.empty((size, 4), np.int64)
        set_up(start, end, kind, owner, q, r, level, pieces, top, height)
        for v in range(start, end):
            if last[v]:
                newest = v - start
        other = player[graph]
        own = 1 - other
        worth[graph] = legal_moves(size, pieces, top, height, own, -1, marks, stamp, moves)
        worth[graph] -= legal_moves(size, pieces, top, height, other, newest, marks, stamp, moves)
        for p in range(size):
            if pieces[p, KIND] != QUEEN or pieces[p, CELL] < 0:
                continue
            taken = 0
            for direction in range(6):
                taken += height[near(pieces[p, CELL], direction)] > 0
            sign = 1 if pieces[p, OWNER] == other else -1
            worth[graph] += sign * (_WIN if taken == 6 else _NEIGHBOUR * taken)
        clear(size, pieces, top, height)
