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
    if depth == 0:
        return 1
    marks, stamp = np.zeros((2, CELLS), np.int64), np.zeros(1, np.int64)
    moves = np.empty((depth, MOST_MOVES, 2), np.int64)
    number, tried, source = np.zeros((3, depth), np.int64)  # of moves; how many were made; where the last one began
    number[0] = _choices(size, pieces, top, height, player, last, marks, stamp, moves[0])
    level, total = 0, 0
    while level >= 0:
        if level == depth - 1:  # the last moves are counted, and not made
            total += number[level]
            number[level] = 0
        if tried[level] < number[level]:
            piece, cell = moves[level, tried[level]]
            source[level] = pieces[piece, CELL]
            _make(pieces, top, height, piece, cell)
            tried[level] += 1
            level += 1
            side = (player + level) % 2
            number[level] = _choices(size, pieces, top, height, side, piece, marks, stamp, moves[level])
            tried[level] = 0
        else:
            level -= 1
            if level >= 0:
                _take_back(pieces, top, height, moves[level, tried[level] - 1, 0], source[level])
    return total


@jit_as_written
def _choices(size, pieces, top, height, side, last, marks, stamp, moves):  # type: ignore[no-untyped-def]
    """How many moves `side` has: one, of the piece -1, where it has to pass; none where the game is over."""
    if surrounded(size, pieces, height, 0) or surrounded(size, pieces, height, 1):
        return 0
    count = legal_moves(size, pieces, top, height, side, last, marks, stamp, moves)
    if count:
        return count
    moves[0, 0], moves[0, 1] = -1, -1
    return 1


@jit_as_written
def _make(pieces, top, height, piece, cell):  # type: ignore[no-untyped-def]
    if piece >= 0:
        if pieces[piece, CELL] >= 0:
            lift(pieces, top, height, piece)
        drop(pieces, top, height, piece, cell)


@jit_as_written
def _take_back(pieces, top, height, piece, source):  # type: ignore[no-untyped-def]
    """Undo the move of a piece, from its hand where `source` is -1."""
    if piece >= 0:
        lift(pieces, top, height, piece)
        if source >= 0:
            drop(pieces, top, height, piece, source)
        else:
            pieces[piece, CELL] = -1
