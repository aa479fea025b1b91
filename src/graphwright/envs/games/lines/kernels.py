"""Lines of k cells on square boards: who has completed one, and what every empty cell is worth to each side."""

from __future__ import annotations

import numpy as np

from graphwright.core.kernels.jit import jit_as_written

DIRECTIONS = np.array([[1, 0], [0, 1], [1, 1], [-1, 1]])
"""(right, down) of the lines through a cell."""


@jit_as_written
def cells_of(start, end, position):  # type: ignore[no-untyped-def]
    """[columns, rows] int64: the node at each place of a board, -1 where there is none."""
    columns, rows = 0, 0
    for v in range(start, end):
        columns = max(columns, position[v, 0] + 1)
        rows = max(rows, position[v, 1] + 1)
    cells = np.full((columns, rows), -1, np.int64)
    for v in range(start, end):
        cells[position[v, 0], position[v, 1]] = v
    return cells


@jit_as_written
def completed(node_ptr, position, owner, node, k, won):  # type: ignore[no-untyped-def]
    """Write `won` [B] bool: whether the stone at `node` [B] stands in a line of at least k stones of its owner.

    node_ptr: [B + 1]; position: [N, 2] int64; owner: [N] int8.
    """
    for graph in range(node.size):
        cells = cells_of(node_ptr[graph], node_ptr[graph + 1], position)
        last = node[graph]
        won[graph] = False
        for direction in range(4):
            run = 1
            for sign in (-1, 1):
                right, down = sign * DIRECTIONS[direction, 0], sign * DIRECTIONS[direction, 1]
                x, y = position[last, 0] + right, position[last, 1] + down
                while 0 <= x < cells.shape[0] and 0 <= y < cells.shape[1]:
                    v = cells[x, y]
                    if v < 0 or owner[v] != owner[last]:
                        break
                    run, x, y = run + 1, x + right, y + down
            if run >= k:
                won[graph] = True


@jit_as_written
def windows_of(cells, k):  # type: ignore[no-untyped-def]
    """[W, k] int64: the nodes of all lines of k cells that lie on a board."""
    windows = np.empty((4 * cells.size, k), np.int64)
    count = 0
    for direction in range(4):
        right, down = DIRECTIONS[direction]
        for x in range(cells.shape[0]):
            for y in range(cells.shape[1]):
                far_x, far_y = x + right * (k - 1), y + down * (k - 1)
                if far_x < 0 or far_x >= cells.shape[0] or far_y >= cells.shape[1]:
                    continue
                whole = True
                for place in range(k):
                    v = cells[x + right * place, y + down * place]
                    windows[count, place] = v
                    whole &= v >= 0
                count += whole
    return windows[:count]


@jit_as_written
def chances(node_ptr, position, owner, k, best, count):  # type: ignore[no-untyped-def]
    """Of every empty cell and each side, the lines through it in which the other side has no stone.

    best: [N, 2] int64, gets how many stones the side has in the fullest of them, -1 where there is none; count: [N, 2]
    int64, how many are that full.
    """
    for graph in range(node_ptr.size - 1):
        windows = windows_of(cells_of(node_ptr[graph], node_ptr[graph + 1], position), k)
        for v in range(node_ptr[graph], node_ptr[graph + 1]):
            for side in range(2):
                best[v, side], count[v, side] = -1, 0
        for w in range(windows.shape[0]):
            stones = np.zeros(2, np.int64)
            for place in range(k):
                side = owner[windows[w, place]]
                if side >= 0:
                    stones[side] += 1
            for side in range(2):
                if stones[1 - side]:
                    continue
                for place in range(k):
                    v = windows[w, place]
                    if owner[v] >= 0:
                        continue
                    if stones[side] > best[v, side]:
                        best[v, side], count[v, side] = stones[side], 0
                    count[v, side] += stones[side] == best[v, side]
