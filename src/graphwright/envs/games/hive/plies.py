"""What every move of a hive leads to, one ply deep."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.core.segment import Segments, segment_sum
from graphwright.envs.games.hive.board import CELL, CELLS, KIND, OWNER, QUEEN, clear, drop, lift, near, set_up
from graphwright.envs.games.hive.moves import MOST_MOVES, legal_moves
from graphwright.envs.games.hive.perft import STATE_COLUMNS
from graphwright.envs.games.hive.view import MOVE, view

_WIN, _NEIGHBOUR = 10_000, 3


def mobility_of_moves(state: GraphBatch) -> tuple[Tensor, Segments]:
    """What each candidate of the observed graphs is worth [K] float32, -inf where it is illegal, and the candidates of
    each graph: own moves minus those of the other side after it, 3 for each neighbour of the other queen more than of
    one's own, and 10,000 for a win."""
    graph = view(state)
    moves = graph.edges["says"] == MOVE
    row = moves.nonzero().squeeze(1)
    count = segment_sum(moves, graph.edge_segments)
    columns: list[Tensor] = [state.nodes[name].cpu() for name in STATE_COLUMNS[:-1]]
    of_moves = [
        Segments.from_lengths(count).ptr,
        graph.nodes["piece"][graph.edge_index[0, row]],
        graph.edges["to"][row],
    ]
    worth = np.empty(row.numel(), np.int64)
    player = state.graphs["player"].cpu()
    _worth(*arrays(state.node_ptr.cpu(), *columns, player, *(each.cpu() for each in of_moves)), worth)
    # Candidates are the edges of each graph, and then to pass.
    segments = Segments(graph.edge_ptr + torch.arange(state.num_graphs + 1, device=state.device))
    scores = torch.full((segments.num_rows,), -torch.inf, device=state.device)
    scores[row + graph.edge_graph[row]] = torch.from_numpy(worth).float().to(state.device)
    scores[segments.ptr[1:][count == 0] - 1] = 0
    return scores, segments


@jit_as_written
def _worth(node_ptr, kind, owner, q, r, level, player, move_ptr, piece, to, worth):  # type: ignore[no-untyped-def]
    top, height = np.full(CELLS, -1, np.int8), np.zeros(CELLS, np.int8)
    marks, stamp, moves = np.zeros((2, CELLS), np.int64), np.zeros(1, np.int64), np.empty((MOST_MOVES, 2), np.int64)
    for graph in range(player.size):
        start, end = node_ptr[graph], node_ptr[graph + 1]
        size, own = end - start, player[graph]
        pieces = np.empty((size, 4), np.int64)
        set_up(start, end, kind, owner, q, r, level, pieces, top, height)
        for m in range(move_ptr[graph], move_ptr[graph + 1]):
            p, before = piece[m], pieces[piece[m], CELL]
            if before >= 0:
                lift(pieces, top, height, p)
            drop(pieces, top, height, p, ((to[m, 1] & 63) << 6) | (to[m, 0] & 63))
            worth[m] = legal_moves(size, pieces, top, height, own, -1, marks, stamp, moves)
            worth[m] -= legal_moves(size, pieces, top, height, 1 - own, p, marks, stamp, moves)
            worth[m] += _danger(size, pieces, height, 1 - own) - _danger(size, pieces, height, own)
            lift(pieces, top, height, p)
            if before >= 0:
                drop(pieces, top, height, p, before)
            else:
                pieces[p, CELL] = -1
        clear(size, pieces, top, height)


@jit_as_written
def _danger(size, pieces, height, side):  # type: ignore[no-untyped-def]
    """3 for each neighbour of the queen of `side`, 10,000 for six."""
    for p in range(size):
        if pieces[p, KIND] == QUEEN and pieces[p, OWNER] == side and pieces[p, CELL] >= 0:
            taken = 0
            for direction in range(6):
                taken += height[near(pieces[p, CELL], direction)] > 0
            return _WIN if taken == 6 else _NEIGHBOUR * taken
    return 0
