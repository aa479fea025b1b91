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

    With a stack of its own, since compiled kernels that call themselves cannot be kept on disk.
    """
    sides = np.zeros((size + 2, 2), np.uint64)
    alpha, beta, best, floor = np.empty((4, size + 2), np.int64)
    cell, entries, hint, good = np.zeros((4, size + 2), np.int64)
    depth, entering, found = 0, True, 0
    sides[0, 0], sides[0, 1] = mine, theirs
    alpha[0], beta[0] = -_FAR, limit
    while True:
        taken = sides[depth, 0] | sides[depth, 1]
        if entering:
            turn = connects == (depth % 2 == 0)
            low, high, entries[depth] = _bounds_of(
                sides[depth, 0], sides[depth, 1], turn, size, lines, near, ends, keys, bounds
            )
            if low >= high or low >= beta[depth] or high <= alpha[depth]:
                found = high if low < high and high <= alpha[depth] else low
                entering = False
                depth -= 1
                if depth < 0:
                    return found
                continue
            alpha[depth], beta[depth] = max(alpha[depth], low), min(beta[depth], high)
            best[depth], floor[depth] = -_FAR, alpha[depth]
            hint[depth] = np.int64(bounds[entries[depth], 2])  # what was best before, here or in another position
            if hint[depth] < 0 or hint[depth] >= size or not _can_take(taken, below, hint[depth]):
                hint[depth] = -1
            good[depth] = cell[depth] = hint[depth]
            if hint[depth] < 0:
                cell[depth] = _next_cell(-1, -1, taken, below, size)
        else:  # back from the move on cell[depth]
            if -found > best[depth]:
                best[depth], good[depth] = -found, cell[depth]
                alpha[depth] = max(alpha[depth], best[depth])
            before = -1 if cell[depth] == hint[depth] else cell[depth]
            cell[depth] = _next_cell(before, hint[depth], taken, below, size)
        if cell[depth] < size and alpha[depth] < beta[depth]:
            sides[depth + 1, 0] = sides[depth, 1]
            sides[depth + 1, 1] = sides[depth, 0] | (np.uint64(1) << np.uint64(cell[depth]))
            alpha[depth + 1], beta[depth + 1] = -beta[depth], -alpha[depth]
            depth += 1
            entering = True
            continue
        found = best[depth]
        low = found if found > floor[depth] else -_FAR
        high = found if found < beta[depth] else _FAR
        _keep(sides[depth, 0], sides[depth, 1], entries[depth], low, high, good[depth], keys, bounds)
        entering = False
        depth -= 1
        if depth < 0:
            return found


@jit_as_written
def _next_cell(before, hint, taken, below, size):  # type: ignore[no-untyped-def]
    """The first cell after `before` that may be taken and is not `hint`, which comes before all; `size` for none."""
    cell = before + 1
    while cell < size and (cell == hint or not _can_take(taken, below, cell)):
        cell += 1
    return cell
