"""Perfect play of small games: negamax with alpha-beta and a table of what has been seen.

A board of at most 64 cells is two sets of cells, as the bits of two numbers. A position is worth 0 where both can hold
a draw, and otherwise 1 plus the empty cells that the winner leaves, so that quick wins and slow losses are the best.

What wins: all cells of one of `lines` [W] uint64; or, where there are `near` [cells] uint64 (the neighbours of each
cell), for the side that connects a path of its own from one of `ends` [2] uint64 to the other, and for the side that
cuts that nothing can become one. below: [cells] int64, the cell that has to be taken before each, -1 for none. Cells
are tried in their order, so that the best should come first.
"""

from __future__ import annotations

import numpy as np

from graphwright.core.kernels.jit import jit_as_written

ILLEGAL = -(1 << 20)
"""What is written for a move that may not be made."""
_FAR = 100
_MOST_BITS = 19  # of the number of entries of a table
# Of each position on the way: between what its worth is asked for, the best so far and its move, what alpha began with,
# the move that is tried, the place in the table, and the move that came first.
_ALPHA, _BETA, _BEST, _GOOD, _FLOOR, _CELL, _ENTRY, _HINT = range(8)


@jit_as_written
def solve_moves(mine, theirs, connects, size, below, lines, near, ends, value):  # type: ignore[no-untyped-def]
    """Write `value` [cells] int64: what each of the best moves is worth to the side that makes it, a smaller number for
    every other; `ILLEGAL` for one that is none.

    mine, theirs: uint64, the cells of the side that moves and of the other; connects: whether it is the one that does.
    """
    empty = 0
    for cell in range(size):
        empty += ((mine | theirs) >> np.uint64(cell)) & np.uint64(1) == 0
    entries = 1 << max(6, min(_MOST_BITS, 2 * empty - 4))
    keys, bounds = np.zeros((entries, 2), np.uint64), np.full((entries, 3), -1, np.int8)
    best = -_FAR
    for cell in range(size):
        value[cell] = ILLEGAL
        if _can_take(mine | theirs, below, cell):
            then = mine | (np.uint64(1) << np.uint64(cell))
            limit = 1 - best  # what is below the best is not looked at closer
            value[cell] = -_negamax(theirs, then, not connects, limit, size, below, lines, near, ends, keys, bounds)
            best = max(best, value[cell])


@jit_as_written
def _has_won(stones, connects, lines, near, ends):  # type: ignore[no-untyped-def]
    """Whether the side with these `stones` has won by its last move."""
    for line in lines:
        if stones & line == line:
            return True
    if near.size == 0:
        return False
    open_cells = stones if connects else ~stones
    reached = ends[0] & open_cells
    edge = reached
    while edge:
        further = np.uint64(0)
        for cell in range(near.size):
            if (edge >> np.uint64(cell)) & np.uint64(1):
                further |= near[cell]
        edge = further & open_cells & ~reached
        reached |= edge
    return (reached & ends[1] != 0) == connects


@jit_as_written
def _can_take(taken, below, cell):  # type: ignore[no-untyped-def]
    bit = np.uint64(1) << np.uint64(cell)
    if taken & bit:
        return False
    return below[cell] < 0 or (taken & (np.uint64(1) << np.uint64(below[cell]))) != 0


@jit_as_written
def _bounds_of(mine, theirs, connects, size, lines, near, ends, keys, bounds):  # type: ignore[no-untyped-def]
    """Between what a position in which the other side has just moved is worth, and its place in the table."""
    taken, empty = mine | theirs, 0
    for cell in range(size):
        empty += (taken >> np.uint64(cell)) & np.uint64(1) == 0
    mixed = mine * np.uint64(0x9E3779B97F4A7C15) ^ theirs * np.uint64(0xBF58476D1CE4E5B9)
    entry = np.int64(mixed >> np.uint64(40)) & (bounds.shape[0] - 1)
    if _has_won(theirs, not connects, lines, near, ends):
        return -(empty + 1), -(empty + 1), entry
    if empty == 0:
        return 0, 0, entry
    low, high = -(empty - 1), empty  # the quickest loss takes two moves, the quickest win one
    if keys[entry, 0] == mine and keys[entry, 1] == theirs:
        return max(bounds[entry, 0], low), min(bounds[entry, 1], high), entry
    return low, high, entry


@jit_as_written
def _keep(mine, theirs, entry, low, high, good, keys, bounds):  # type: ignore[no-untyped-def]
    if keys[entry, 0] != mine or keys[entry, 1] != theirs:
        bounds[entry, 0], bounds[entry, 1] = -_FAR, _FAR
        keys[entry, 0], keys[entry, 1] = mine, theirs
    bounds[entry, 0], bounds[entry, 1] = max(bounds[entry, 0], low), min(bounds[entry, 1], high)
    bounds[entry, 2] = good


@jit_as_written
def _negamax(mine, theirs, connects, limit, size, below, lines, near, ends, keys, bounds):  # type: ignore[no-untyped-def]
    """What a position in which the other side has just moved is worth to the side that moves, or `limit` or more.

    With a stack of its own, since compiled kernels that call themselves cannot be kept on disk: `sides` [depth, 2] and
    `frames` [depth, 8], whose columns are named above.
    """
    sides, frames = np.zeros((size + 2, 2), np.uint64), np.zeros((size + 2, 8), np.int64)
    sides[0, 0], sides[0, 1] = mine, theirs
    frames[0, _ALPHA], frames[0, _BETA] = -_FAR, limit
    depth, is_new, worth = 0, True, 0  # worth: of the position that was left last
    while depth >= 0:
        alpha, beta = frames[depth, _ALPHA], frames[depth, _BETA]
        if is_new:
            turn = connects == (depth % 2 == 0)
            low, high, entry = _bounds_of(sides[depth, 0], sides[depth, 1], turn, size, lines, near, ends, keys, bounds)
            if low >= high or low >= beta or high <= alpha:  # nothing is left to ask
                worth = high if low < high <= alpha else low
                depth, is_new = depth - 1, False
                continue
            _enter(sides, frames, depth, low, high, entry, below, size, bounds)
        else:
            _advance(sides, frames, depth, -worth, below, size)
        if frames[depth, _CELL] < size and frames[depth, _ALPHA] < frames[depth, _BETA]:
            _play(sides, frames, depth)
            depth, is_new = depth + 1, True
        else:
            worth = _leave(sides, frames, depth, keys, bounds)
            depth, is_new = depth - 1, False
    return worth


@jit_as_written
def _enter(sides, frames, depth, low, high, entry, below, size, bounds):  # type: ignore[no-untyped-def]
    """Begin with a position that is worth `low` to `high`: with the move that was best before, if it can be made."""
    taken, hint = sides[depth, 0] | sides[depth, 1], np.int64(bounds[entry, 2])  # perhaps of another position
    if hint < 0 or hint >= size or not _can_take(taken, below, hint):
        hint = np.int64(-1)
    alpha = max(frames[depth, _ALPHA], low)
    frames[depth, _ALPHA], frames[depth, _BETA] = alpha, min(frames[depth, _BETA], high)
    frames[depth, _BEST], frames[depth, _FLOOR], frames[depth, _ENTRY] = -_FAR, alpha, entry
    frames[depth, _HINT], frames[depth, _GOOD] = hint, hint
    frames[depth, _CELL] = hint if hint >= 0 else _next_cell(-1, -1, taken, below, size)


@jit_as_written
def _advance(sides, frames, depth, worth, below, size):  # type: ignore[no-untyped-def]
    """Take note of what the move that was played is `worth`, and come to the next one."""
    cell, hint = frames[depth, _CELL], frames[depth, _HINT]
    if worth > frames[depth, _BEST]:
        frames[depth, _BEST], frames[depth, _GOOD] = worth, cell
        frames[depth, _ALPHA] = max(frames[depth, _ALPHA], worth)
    before = -1 if cell == hint else cell
    frames[depth, _CELL] = _next_cell(before, hint, sides[depth, 0] | sides[depth, 1], below, size)


@jit_as_written
def _play(sides, frames, depth):  # type: ignore[no-untyped-def]
    """Put the position after the move on top, as the other side sees it."""
    sides[depth + 1, 0] = sides[depth, 1]
    sides[depth + 1, 1] = sides[depth, 0] | (np.uint64(1) << np.uint64(frames[depth, _CELL]))
    frames[depth + 1, _ALPHA], frames[depth + 1, _BETA] = -frames[depth, _BETA], -frames[depth, _ALPHA]


@jit_as_written
def _leave(sides, frames, depth, keys, bounds):  # type: ignore[no-untyped-def]
    """What the position is worth, which the table keeps: exactly, or as a bound where it is outside alpha and beta."""
    worth, entry = frames[depth, _BEST], frames[depth, _ENTRY]
    low = worth if worth > frames[depth, _FLOOR] else -_FAR
    high = worth if worth < frames[depth, _BETA] else _FAR
    _keep(sides[depth, 0], sides[depth, 1], entry, low, high, frames[depth, _GOOD], keys, bounds)
    return worth


@jit_as_written
def _next_cell(before, hint, taken, below, size):  # type: ignore[no-untyped-def]
    """The first cell after `before` that may be taken and is not `hint`, which comes before all; `size` for none."""
    cell = before + 1
    while cell < size and (cell == hint or not _can_take(taken, below, cell)):
        cell += 1
    return cell
