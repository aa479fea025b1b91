"""A hive as arrays: pieces, and what lies on top of each cell of the plane.

A cell is (q, r) in axial coordinates, held as q mod 64 and r mod 64 in one number: a hive of 28 pieces is connected, so
that no two of its cells are the same one, and the plane has no border. These arrays live only while moves are counted;
a state holds the pieces alone.

pieces: [P, 4] int64, the columns `KIND`, `OWNER`, `CELL` (-1: in hand), `BELOW` (the piece under it, -1 for none).
top: [4096] int8, the piece on top of each cell, -1 for none. height: [4096] int8, how many lie there.
"""

from __future__ import annotations

import numpy as np

from graphwright.core.kernels.jit import jit_as_written

KIND, OWNER, CELL, BELOW = 0, 1, 2, 3
QUEEN, SPIDER, BEETLE, GRASSHOPPER, ANT, MOSQUITO, LADYBUG, PILLBUG = range(8)
KINDS = 8
CELLS = 4096
STEP_Q, STEP_R = np.array([1, 1, 0, -1, -1, 0]), np.array([0, -1, -1, 0, 1, 1])
"""The six neighbours of a cell, anticlockwise: east, north-east, north-west, west, south-west, south-east."""


@jit_as_written
def near(cell, direction):  # type: ignore[no-untyped-def]
    """The neighbour of a cell in one of six directions."""
    q, r = (cell & 63) + STEP_Q[direction], (cell >> 6) + STEP_R[direction]
    return ((r & 63) << 6) | (q & 63)


@jit_as_written
def lift(pieces, top, height, piece):  # type: ignore[no-untyped-def]
    """Take the top piece of a cell off; it remembers where it was."""
    cell = pieces[piece, CELL]
    top[cell] = pieces[piece, BELOW]
    height[cell] -= 1


@jit_as_written
def drop(pieces, top, height, piece, cell):  # type: ignore[no-untyped-def]
    """Put a piece that lies nowhere onto a cell."""
    pieces[piece, CELL], pieces[piece, BELOW] = cell, top[cell]
    top[cell] = piece
    height[cell] += 1


@jit_as_written
def set_up(start, end, kind, owner, q, r, level, pieces, top, height):  # type: ignore[no-untyped-def]
    """The pieces of the rows from `start` to `end` of a table of states; `top` and `height` are those of an empty
    plane."""
    highest = -1
    for v in range(start, end):
        p = v - start
        pieces[p, KIND], pieces[p, OWNER], pieces[p, CELL], pieces[p, BELOW] = kind[v], owner[v], -1, -1
        highest = max(highest, level[v])
    for at in range(highest + 1):
        for v in range(start, end):
            if level[v] == at:
                drop(pieces, top, height, v - start, ((r[v] & 63) << 6) | (q[v] & 63))


@jit_as_written
def clear(size, pieces, top, height):  # type: ignore[no-untyped-def]
    """Make the plane empty again."""
    for p in range(size):
        cell = pieces[p, CELL]
        if cell >= 0:
            top[cell], height[cell] = -1, 0


@jit_as_written
def surrounded(size, pieces, height, side):  # type: ignore[no-untyped-def]
    """Whether the queen of `side` has six neighbours."""
    for p in range(size):
        if pieces[p, KIND] == QUEEN and pieces[p, OWNER] == side and pieces[p, CELL] >= 0:
            free = 0
            for direction in range(6):
                free += height[near(pieces[p, CELL], direction)] == 0
            return free == 0
    return False
