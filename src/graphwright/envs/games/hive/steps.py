"""How each piece of Hive moves, for the arrays of `board.py`; arguments are those of `moves.py`."""

from __future__ import annotations

import numpy as np

from graphwright.core.kernels.jit import jit_as_written
from graphwright.envs.games.hive.board import ANT, BEETLE, GRASSHOPPER, KIND, KINDS, LADYBUG, MOSQUITO, SPIDER, near


@jit_as_written
def _add(piece, cell, now, marks, moves, n):  # type: ignore[no-untyped-def]
    """One more move, unless the piece has come to that cell another way."""
    if marks[0, cell] == now:
        return n
    marks[0, cell] = now
    moves[n, 0], moves[n, 1] = piece, cell
    return n + 1


@jit_as_written
def own_moves(pieces, top, height, piece, cell, now, marks, stamp, moves, n):  # type: ignore[no-untyped-def]
    """The moves of a piece that was lifted off `cell`; a mosquito moves as its neighbours, on a stack as a beetle."""
    kind = pieces[piece, KIND]
    if kind != MOSQUITO:
        return _moves_as(kind, height, piece, cell, now, marks, stamp, moves, n)
    if height[cell]:
        return _moves_as(BEETLE, height, piece, cell, now, marks, stamp, moves, n)
    copied = np.zeros(KINDS, np.bool_)
    for direction in range(6):
        other = top[near(cell, direction)]
        if other >= 0:
            copied[pieces[other, KIND]] = True
    for kind in range(KINDS):
        if copied[kind] and kind != MOSQUITO:
            n = _moves_as(kind, height, piece, cell, now, marks, stamp, moves, n)
    return n


@jit_as_written
def _moves_as(kind, height, piece, cell, now, marks, stamp, moves, n):  # type: ignore[no-untyped-def]
    if kind == ANT:
        return _run(height, piece, cell, now, marks, stamp, moves, n)
    for direction in range(6):
        there = near(cell, direction)
        if kind == GRASSHOPPER:
            if height[there]:
                n = _add(piece, _over_all(height, there, direction), now, marks, moves, n)
        elif kind in (BEETLE, LADYBUG):
            if not _steps(height, cell, direction):
                continue
            if kind == BEETLE:
                n = _add(piece, there, now, marks, moves, n)
            elif height[there]:
                n = _over_two(height, piece, cell, there, now, marks, moves, n)
        elif _slides(height, cell, direction):
            if kind == SPIDER:
                n = _three_slides(height, piece, cell, there, now, marks, moves, n)
            else:  # a queen or a pillbug
                n = _add(piece, there, now, marks, moves, n)
    return n


@jit_as_written
def _over_all(height, cell, direction):  # type: ignore[no-untyped-def]
    """The first free cell from `cell` on in one direction."""
    while height[cell]:
        cell = near(cell, direction)
    return cell


@jit_as_written
def _slides(height, cell, direction):  # type: ignore[no-untyped-def]
    """Whether a piece on the ground gets from a cell to the next: through no gate, and along the hive."""
    left, right = height[near(cell, (direction + 1) % 6)], height[near(cell, (direction + 5) % 6)]
    return height[near(cell, direction)] == 0 and (left == 0) != (right == 0)


@jit_as_written
def _steps(height, cell, direction):  # type: ignore[no-untyped-def]
    """Whether a piece that climbs gets from the top of a cell to the top of the next: not between two higher stacks."""
    highest = max(height[cell], height[near(cell, direction)])
    if highest == 0:
        return _slides(height, cell, direction)
    left, right = height[near(cell, (direction + 1) % 6)], height[near(cell, (direction + 5) % 6)]
    return left <= highest or right <= highest


@jit_as_written
def _run(height, piece, cell, now, marks, stamp, moves, n):  # type: ignore[no-untyped-def]
    """All cells to which one slides."""
    stamp[0] += 1
    stack, depth = np.empty(256, np.int64), 1
    stack[0] = cell
    marks[1, cell] = stamp[0]
    while depth:
        depth -= 1
        here = stack[depth]
        for direction in range(6):
            there = near(here, direction)
            if marks[1, there] != stamp[0] and _slides(height, here, direction):
                marks[1, there] = stamp[0]
                n = _add(piece, there, now, marks, moves, n)
                stack[depth] = there
                depth += 1
    return n


@jit_as_written
def _three_slides(height, piece, cell, one, now, marks, moves, n):  # type: ignore[no-untyped-def]
    """The cells of two more slides, none of which is met twice."""
    for second in range(6):
        two = near(one, second)
        if two == cell or not _slides(height, one, second):
            continue
        for third in range(6):
            three = near(two, third)
            if three not in (cell, one) and _slides(height, two, third):
                n = _add(piece, three, now, marks, moves, n)
    return n


@jit_as_written
def _over_two(height, piece, cell, one, now, marks, moves, n):  # type: ignore[no-untyped-def]
    """From the top of `one` over another top down to the ground."""
    for second in range(6):
        two = near(one, second)
        if not height[two] or not _steps(height, one, second):
            continue
        for third in range(6):
            three = near(two, third)
            if three != cell and not height[three] and _steps(height, two, third):
                n = _add(piece, three, now, marks, moves, n)
    return n


@jit_as_written
def throws(height, piece, cell, over, now, marks, moves, n):  # type: ignore[no-untyped-def]
    """What a pillbug at `over` does with a piece beside it: over its back to another side."""
    for direction in range(6):
        if near(over, direction) != cell or not _steps(height, over, direction):
            continue
        for away in range(6):
            there = near(over, away)
            if there != cell and not height[there] and _steps(height, over, away):
                n = _add(piece, there, now, marks, moves, n)
    return n
