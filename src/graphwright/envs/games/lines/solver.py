"""Perfect play of games of k in a row: negamax with alpha-beta and a table of what has been seen.

A board of at most 64 cells is two sets of cells, as the bits of two numbers. A position is worth 0 where both can hold
a draw, and otherwise 1 plus the empty cells that the winner leaves, so that quick wins and slow losses are the best.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.envs.games.lines.kernels import cells_of, windows_of

_MOST_BITS = 18  # of the number of entries of a table
_ILLEGAL = -(1 << 20)
_FAR = 100


def values_of_moves(state: GraphBatch, position: Tensor, k: int, falls: bool) -> Tensor:
    """[N] int64: what each move is worth to the side that makes it, with perfect play after it; `_ILLEGAL` elsewhere.

    position: [N, 2] int64, (column, row). falls: whether stones fall to the last row.
    """
    batch = state.to("cpu")
    value = torch.full((batch.num_nodes,), _ILLEGAL)
    _solve(
        *arrays(batch.node_ptr, position.cpu(), batch.nodes["owner"], batch.graphs["player"]), k, falls, value.numpy()
    )
    return value.to(state.device)


@jit_as_written
def _solve(node_ptr, position, owner, player, k, falls, value):  # type: ignore[no-untyped-def]
    for graph in range(player.size):
        start, end = node_ptr[graph], node_ptr[graph + 1]
        cells = cells_of(start, end, position)
        windows = windows_of(cells, k)
        # bit of node v is v - start, so that boards in any numbering work
        below = np.full(end - start, -1, np.int64)
        if falls:
            for x in range(cells.shape[0]):
                for y in range(cells.shape[1] - 1):
                    below[cells[x, y] - start] = cells[x, y + 1] - start
        lines = np.zeros(windows.shape[0], np.uint64)
        for w in range(windows.shape[0]):
            for place in range(k):
                lines[w] |= np.uint64(1) << np.uint64(windows[w, place] - start)
        sides = np.zeros(2, np.uint64)
        for v in range(start, end):
            if owner[v] >= 0:
                sides[owner[v]] |= np.uint64(1) << np.uint64(v - start)
        entries = 1 << max(6, min(_MOST_BITS, 2 * (owner[start:end] < 0).sum() - 4))
        keys, bounds = np.zeros((entries, 2), np.uint64), np.zeros((entries, 2), np.int8)
        mine, theirs = sides[player[graph]], sides[1 - player[graph]]
        for v in range(start, end):
            if _can_take(mine | theirs, below, v - start):
                mine_then = mine | (np.uint64(1) << np.uint64(v - start))
                value[v] = -_negamax(theirs, mine_then, end - start, below, lines, keys, bounds)


@jit_as_written
def _can_take(taken, below, cell):  # type: ignore[no-untyped-def]
    bit = np.uint64(1) << np.uint64(cell)
    if taken & bit:
        return False
    return below[cell] < 0 or (taken & (np.uint64(1) << np.uint64(below[cell]))) != 0


@jit_as_written
def _bounds_of(mine, theirs, size, lines, keys, bounds):  # type: ignore[no-untyped-def]
    """Between what a position in which the other side has just moved is worth, and its place in the table."""
    taken, empty = mine | theirs, 0
    for cell in range(size):
        empty += (taken >> np.uint64(cell)) & np.uint64(1) == 0
    mixed = mine * np.uint64(0x9E3779B97F4A7C15) ^ theirs * np.uint64(0xBF58476D1CE4E5B9)
    entry = np.int64(mixed >> np.uint64(40)) & (bounds.shape[0] - 1)
    for line in lines:
        if theirs & line == line:
            return -(empty + 1), -(empty + 1), entry
    if empty == 0:
        return 0, 0, entry
    low, high = -(empty - 1), empty  # the quickest loss takes two moves, the quickest win one
    if keys[entry, 0] == mine and keys[entry, 1] == theirs:
        return max(bounds[entry, 0], low), min(bounds[entry, 1], high), entry
    return low, high, entry


@jit_as_written
def _keep(mine, theirs, entry, low, high, keys, bounds):  # type: ignore[no-untyped-def]
    if keys[entry, 0] != mine or keys[entry, 1] != theirs:
        bounds[entry, 0], bounds[entry, 1] = -_FAR, _FAR
        keys[entry, 0], keys[entry, 1] = mine, theirs
    bounds[entry, 0], bounds[entry, 1] = max(bounds[entry, 0], low), min(bounds[entry, 1], high)


@jit_as_written
def _negamax(mine, theirs, size, below, lines, keys, bounds):  # type: ignore[no-untyped-def]
    """What a position in which the other side has just moved is worth to the side that moves.

    With a stack of its own, since compiled kernels that call themselves cannot be kept on disk.
    """
    sides = np.zeros((size + 2, 2), np.uint64)
    alpha, beta, best, floor = np.empty((4, size + 2), np.int64)
    cell, entries = np.zeros((2, size + 2), np.int64)
    depth, entering, found = 0, True, 0
    sides[0, 0], sides[0, 1] = mine, theirs
    alpha[0], beta[0] = -_FAR, _FAR
    while True:
        if entering:
            low, high, entries[depth] = _bounds_of(sides[depth, 0], sides[depth, 1], size, lines, keys, bounds)
            if low >= high or low >= beta[depth] or high <= alpha[depth]:
                found = high if low < high and high <= alpha[depth] else low
                entering = False
                depth -= 1
                if depth < 0:
                    return found
                continue
            alpha[depth], beta[depth] = max(alpha[depth], low), min(beta[depth], high)
            best[depth], floor[depth], cell[depth] = -_FAR, alpha[depth], 0
        else:  # back from the move on cell[depth]
            if -found > best[depth]:
                best[depth] = -found
                alpha[depth] = max(alpha[depth], best[depth])
            cell[depth] += 1
        taken = sides[depth, 0] | sides[depth, 1]
        while cell[depth] < size and not _can_take(taken, below, cell[depth]):
            cell[depth] += 1
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
        _keep(sides[depth, 0], sides[depth, 1], entries[depth], low, high, keys, bounds)
        entering = False
        depth -= 1
        if depth < 0:
            return found
