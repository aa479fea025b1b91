"""How many positions there are after so many moves, by which rules are compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.envs.games.hive.board import CELL, CELLS, clear, drop, lift, set_up, surrounded
from graphwright.envs.games.hive.moves import MOST_MOVES, legal_moves

STATE_COLUMNS: Sequence[str] = ("kind", "owner", "q", "r", "level", "last")


def perft(state: GraphBatch, depth: int) -> list[int]:
    """[B]: the sequences of `depth` moves from each state; a forced pass is one, and nothing follows a game's end."""
    columns: list[Tensor] = [state.nodes[name].cpu() for name in STATE_COLUMNS]
    counts = np.empty(state.num_graphs, np.int64)
    _perft(*arrays(state.node_ptr.cpu(), *columns, state.graphs["player"].cpu()), depth, counts)
    return counts.tolist()


@jit_as_written
def _perft(node_ptr, kind, owner, q, r, level, last, player, depth, counts):  # type: ignore[no-untyped-def]
    top, height = np.full(CELLS, -1, np.int8), np.zeros(CELLS, np.int8)
    for graph in range(player.size):
        start, end = node_ptr[graph], node_ptr[graph + 1]
        pieces, newest = np.empty((end - start, 4), np.int64), -1
        set_up(start, end, kind, owner, q, r, level, pieces, top, height)
        for v in range(start, end):
            if last[v]:
                newest = v - start
        counts[graph] = _count(end - start, pieces, top, height, player[graph], newest, depth)
        clear(end - start, pieces, top, height)


@jit_as_written
def _count(size, pieces, top, height, player, last, depth):  # type: ignore[no-untyped-def]
    """With a stack of its own, since compiled kernels that call themselves cannot be kept on disk."""
    marks, stamp = np.zeros((2, CELLS), np.int64), np.zeros(1, np.int64)
    moves = np.empty((depth + 1, MOST_MOVES, 2), np.int64)
    number, tried, newest, source = np.zeros((4, depth + 2), np.int64)
    newest[0], total, level, entering = last, 0, 0, True
    while True:
        if entering:
            entering = False
            tried[level] = -1
            if level == depth:
                total += 1
                number[level] = 0
            elif surrounded(size, pieces, height, 0) or surrounded(size, pieces, height, 1):
                number[level] = 0
            else:
                side = (player + level) % 2
                n = legal_moves(size, pieces, top, height, side, newest[level], marks, stamp, moves[level])
                if n == 0:
                    n, moves[level, 0, 0] = 1, -1
                number[level] = n
                if level == depth - 1:
                    total += n
                    number[level] = 0
        tried[level] += 1
        if tried[level] < number[level]:
            piece, cell = moves[level, tried[level]]
            if piece >= 0:
                source[level] = pieces[piece, CELL]
                if source[level] >= 0:
                    lift(pieces, top, height, piece)
                drop(pieces, top, height, piece, cell)
            newest[level + 1] = piece
            level += 1
            entering = True
            continue
        level -= 1
        if level < 0:
            return total
        piece = moves[level, tried[level], 0]
        if piece >= 0:
            lift(pieces, top, height, piece)
            if source[level] >= 0:
                drop(pieces, top, height, piece, source[level])
            else:
                pieces[piece, CELL] = -1
