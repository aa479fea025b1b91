"""The moves of Hive, for the arrays of `board.py`.

marks: [2, 4096] int64 and stamp: [1] int64, cells that have been met: those that hold the newest stamp. moves: [M, 2]
int64, gets the piece and the cell of each move; functions give how many there are then. Where a piece moves, it has
been lifted off before.
"""

from __future__ import annotations

import numpy as np

from graphwright.core.kernels.jit import jit_as_written
from graphwright.envs.games.hive.board import CELL, KIND, KINDS, MOSQUITO, OWNER, PILLBUG, QUEEN, drop, lift, near
from graphwright.envs.games.hive.steps import own_moves, throws

MOST_MOVES = 2048
"""More than any position has."""


@jit_as_written
def legal_moves(size, pieces, top, height, player, last, marks, stamp, moves):  # type: ignore[no-untyped-def]
    """All moves of the side `player`; none where it has to pass. last: the piece that has just moved, -1 for none.

    Alike pieces in hand are one; a queen is not placed first, and at the latest fourth.
    """
    first, placed, count = np.full(KINDS, -1, np.int64), 0, 0
    for p in range(size):
        if pieces[p, CELL] >= 0:
            count += 1
            placed += pieces[p, OWNER] == player
        elif pieces[p, OWNER] == player and first[pieces[p, KIND]] < 0:
            first[pieces[p, KIND]] = p
    n = _placements(size, pieces, top, height, player, first, placed, count, marks, stamp, moves)
    if first[QUEEN] >= 0:
        return n
    return _movements(size, pieces, top, height, player, last, marks, stamp, moves, n)


@jit_as_written
def _placements(size, pieces, top, height, player, first, placed, count, marks, stamp, moves):  # type: ignore[no-untyped-def]
    cells, number = np.empty(6 * size + 6, np.int64), 0
    if count == 0:
        cells[0], number = 0, 1
    stamp[0] += 1
    for p in range(size):
        cell = pieces[p, CELL]
        if cell < 0 or top[cell] != p or (count > 1 and pieces[p, OWNER] != player):
            continue
        for direction in range(6):
            there = near(cell, direction)
            if height[there] or marks[1, there] == stamp[0]:
                continue
            marks[1, there] = stamp[0]
            alone = True
            for around in range(6):
                other = top[near(there, around)]
                alone &= other < 0 or pieces[other, OWNER] == player
            if alone or count == 1:
                cells[number] = there
                number += 1
    n, must_be_queen = 0, first[QUEEN] >= 0 and placed == 3
    for kind in range(KINDS):
        if first[kind] < 0 or (kind == QUEEN and placed == 0) or (kind != QUEEN and must_be_queen):
            continue
        for k in range(number):
            moves[n, 0], moves[n, 1] = first[kind], cells[k]
            n += 1
    return n


@jit_as_written
def _movements(size, pieces, top, height, player, last, marks, stamp, moves, n):  # type: ignore[no-untyped-def]
    throwers, number = np.empty(4, np.int64), 0
    occupied = 0
    for p in range(size):
        cell = pieces[p, CELL]
        if cell < 0 or top[cell] != p:
            continue
        occupied += 1
        if pieces[p, OWNER] == player and p != last and height[cell] == 1:
            kind = pieces[p, KIND]
            if kind == PILLBUG or (kind == MOSQUITO and _has_near(pieces, top, cell, PILLBUG)):
                throwers[number] = p
                number += 1
    for p in range(size):
        cell = pieces[p, CELL]
        mine = pieces[p, OWNER] == player
        if cell < 0 or top[cell] != p or p == last or not (mine or number):
            continue
        single = height[cell] == 1
        if single and not _whole_without(cell, height, occupied - 1, marks, stamp):
            continue
        stamp[0] += 1
        now = stamp[0]
        lift(pieces, top, height, p)
        if mine:
            n = own_moves(pieces, top, height, p, cell, now, marks, stamp, moves, n)
        if single:
            for k in range(number):
                if throwers[k] != p:
                    n = throws(height, p, cell, pieces[throwers[k], CELL], now, marks, moves, n)
        drop(pieces, top, height, p, cell)
    return n


@jit_as_written
def _has_near(pieces, top, cell, kind):  # type: ignore[no-untyped-def]
    """Whether a piece of that kind lies on top beside a cell."""
    for direction in range(6):
        other = top[near(cell, direction)]
        if other >= 0 and pieces[other, KIND] == kind:
            return True
    return False


@jit_as_written
def _whole_without(cell, height, others, marks, stamp):  # type: ignore[no-untyped-def]
    """Whether the hive stays whole without the only piece at `cell`; others: the number of occupied cells then."""
    runs, begin = 0, -1
    for direction in range(6):
        if height[near(cell, direction)] and not height[near(cell, (direction + 5) % 6)]:
            runs += 1
            begin = near(cell, direction)
    if runs <= 1:
        return True
    stamp[0] += 1
    stack, depth, met = np.empty(others + 1, np.int64), 1, 1
    stack[0] = begin
    marks[1, begin] = marks[1, cell] = stamp[0]
    while depth:
        depth -= 1
        here = stack[depth]
        for direction in range(6):
            there = near(here, direction)
            if height[there] and marks[1, there] != stamp[0]:
                marks[1, there] = stamp[0]
                stack[depth] = there
                depth, met = depth + 1, met + 1
    return met == others
