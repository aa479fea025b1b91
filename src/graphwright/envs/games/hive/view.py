"""A hive as a graph: what a policy sees, and what it may do."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch, from_edges
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.envs.games.hive.board import BELOW, CELL, CELLS, KIND, KINDS, OWNER, QUEEN, clear, near, set_up
from graphwright.envs.games.hive.moves import MOST_MOVES, legal_moves
from graphwright.envs.games.hive.perft import STATE_COLUMNS

BESIDE, OVER, UNDER, MOVE = range(4)
"""What an edge says: its ends are side by side; it leads down or up a stack; the piece may move there."""


def view(state: GraphBatch) -> GraphBatch:
    """The graph of each position: pieces on the board, one node for alike pieces in hand, and the free cells around.

    Node columns: `piece` [N] int64, its place among the pieces of the state (-1: a free cell); `number` [N] int64, how
    many there are in hand (0: on the board); `near` [N, 2] bool, whether it is beside the queen of side 0, of side 1.
    Graph column `around` [B, 2] int64: how many of the cells around each queen are taken. Edge columns: `says` [E]
    int64, one of `BESIDE`, `OVER`, `UNDER`, `MOVE`; of a move `to` [E, 2] int64, (q, r) of its cell. Edges beside each
    other hold in both directions. A graph without moves is one whose side has to pass.
    """
    batch = state.to("cpu")
    columns: list[Tensor] = [batch.nodes[name] for name in STATE_COLUMNS]
    playing = batch.graphs["winner"] < 0
    given = arrays(batch.node_ptr, *columns, batch.graphs["player"], playing & ~batch.graphs["drawn"])
    most_edges = 64 * batch.num_nodes + MOST_MOVES * batch.num_graphs
    nodes = torch.empty(4, 8 * batch.num_nodes + batch.num_graphs, dtype=torch.int64)
    edges, to = (torch.empty(*shape, dtype=torch.int64) for shape in ((3, most_edges), (most_edges, 2)))
    num_nodes, around = (torch.zeros(batch.num_graphs, *shape, dtype=torch.int64) for shape in ((), (2,)))
    n, e = _view(*given, *arrays(num_nodes, around, nodes, edges, to))
    nodes, edges = nodes[:, :n].clone(), edges[:, :e].clone()
    to = to[:e].masked_fill((edges[2] != MOVE).unsqueeze(1), 0)
    return from_edges(
        edges[:2],
        num_nodes,
        undirected=False,
        nodes={"piece": nodes[0], "number": nodes[1], "near": nodes[2:].T.bool()},
        edges={"says": edges[2], "to": to},
        graphs={"around": around},
    ).to(state.device)


@jit_as_written
def _view(  # type: ignore[no-untyped-def]
    node_ptr, kind, owner, q, r, level, last, player, playing, num_nodes, around, nodes, edges, to
):
    """How many nodes and edges are written into the arrays that have room for the most that there may be."""
    top, height = np.full(CELLS, -1, np.int8), np.zeros(CELLS, np.int8)
    marks, stamp = np.zeros((2, CELLS), np.int64), np.zeros(1, np.int64)
    moves, node_at = np.empty((MOST_MOVES, 2), np.int64), np.full(CELLS, -1, np.int64)
    n, e = 0, 0
    for graph in range(player.size):
        start, end, base = node_ptr[graph], node_ptr[graph + 1], n
        size = end - start
        pieces, node_of, free = (
            np.empty((size, 4), np.int64),
            np.empty(size, np.int64),
            np.empty(6 * size + 1, np.int64),
        )
        set_up(start, end, kind, owner, q, r, level, pieces, top, height)
        n = _piece_nodes(pieces, top, nodes, node_of, node_at, n)
        count = _free_nodes(pieces, top, height, nodes, free, node_at, n)
        n, free = n + count, free[:count]
        e = _stack_edges(pieces, node_of, edges, e)
        e = _beside_edges(pieces, top, free, node_at, edges, e)
        nodes[2:, base:n] = 0
        _look_around_queens(pieces, height, node_at, nodes, around[graph])
        if playing[graph]:
            newest, anchor = _last_true(last[start:end]), _last_true(pieces[:, CELL] >= 0)
            from_q, from_r = (q[start + anchor], r[start + anchor]) if anchor >= 0 else (0, 0)
            count = legal_moves(size, pieces, top, height, player[graph], newest, marks, stamp, moves)
            e = _move_edges(moves[:count], from_q, from_r, node_of, node_at, edges, to, e)
        num_nodes[graph] = n - base
        _forget_cells(pieces, free, node_at)
        clear(size, pieces, top, height)
    return n, e


@jit_as_written
def _piece_nodes(pieces, top, nodes, node_of, node_at, n):  # type: ignore[no-untyped-def]
    """A node for each piece on the board, and for alike ones in hand; how many nodes there are then."""
    in_hand = np.full((2, KINDS), -1, np.int64)
    node_of[:] = -1
    for p in range(len(pieces)):
        side, kind, cell = pieces[p, OWNER], pieces[p, KIND], pieces[p, CELL]
        if cell < 0 and in_hand[side, kind] >= 0:
            nodes[1, in_hand[side, kind]] += 1
            continue
        nodes[0, n], nodes[1, n], node_of[p] = p, cell < 0, n
        if cell < 0:
            in_hand[side, kind] = n
        elif top[cell] == p:
            node_at[cell] = n
        n += 1
    return n


@jit_as_written
def _free_nodes(pieces, top, height, nodes, free, node_at, n):  # type: ignore[no-untyped-def]
    """A node, from the n-th on, for each of the `free` cells beside a piece; on an empty board for one. How many."""
    count = 0
    for p in range(len(pieces)):
        cell = pieces[p, CELL]
        if cell < 0 or top[cell] != p:
            continue
        for direction in range(6):
            there = near(cell, direction)
            if height[there] == 0 and node_at[there] < 0:
                free[count], node_at[there] = there, n + count
                count += 1
    if count == 0:
        free[0], node_at[0], count = 0, n, 1
    nodes[0, n : n + count], nodes[1, n : n + count] = -1, 0
    return count


@jit_as_written
def _stack_edges(pieces, node_of, edges, e):  # type: ignore[no-untyped-def]
    """The edges between each piece and the one below it; how many edges there are then."""
    for p in range(len(pieces)):
        if pieces[p, CELL] >= 0 and pieces[p, BELOW] >= 0:
            below = node_of[pieces[p, BELOW]]
            edges[0, e], edges[1, e], edges[2, e] = node_of[p], below, OVER
            edges[0, e + 1], edges[1, e + 1], edges[2, e + 1] = below, node_of[p], UNDER
            e += 2
    return e


@jit_as_written
def _beside_edges(pieces, top, free, node_at, edges, e):  # type: ignore[no-untyped-def]
    """The edges between what is on top of cells, or free, side by side; how many edges there are then."""
    for p in range(len(pieces)):
        if pieces[p, CELL] >= 0 and top[pieces[p, CELL]] == p:
            e = _beside(pieces[p, CELL], node_at, edges, e)
    for cell in free:
        e = _beside(cell, node_at, edges, e)
    return e


@jit_as_written
def _look_around_queens(pieces, height, node_at, nodes, around):  # type: ignore[no-untyped-def]
    """Mark the nodes beside each queen, and count the cells that are taken."""
    for p in range(len(pieces)):
        if pieces[p, KIND] == QUEEN and pieces[p, CELL] >= 0:
            for direction in range(6):
                there = near(pieces[p, CELL], direction)
                around[pieces[p, OWNER]] += height[there] > 0
                nodes[2 + pieces[p, OWNER], node_at[there]] = 1


@jit_as_written
def _move_edges(moves, from_q, from_r, node_of, node_at, edges, to, e):  # type: ignore[no-untyped-def]
    """The edges of `moves`; how many edges there are then. from_q, from_r: a cell at most 32 steps from all others.

    A cell of the board stands for one in each 64 of the plane: that is meant which is near.
    """
    for k in range(len(moves)):
        piece, cell = moves[k]
        edges[0, e], edges[1, e], edges[2, e] = node_of[piece], node_at[cell], MOVE
        to[e, 0] = from_q + (((cell & 63) - from_q + 32) & 63) - 32
        to[e, 1] = from_r + (((cell >> 6) - from_r + 32) & 63) - 32
        e += 1
    return e


@jit_as_written
def _forget_cells(pieces, free, node_at):  # type: ignore[no-untyped-def]
    for p in range(len(pieces)):
        if pieces[p, CELL] >= 0:
            node_at[pieces[p, CELL]] = -1
    for cell in free:
        node_at[cell] = -1


@jit_as_written
def _last_true(mask):  # type: ignore[no-untyped-def]
    """The last place where `mask` is true; -1 for none."""
    place = len(mask) - 1
    while place >= 0 and not mask[place]:
        place -= 1
    return place


@jit_as_written
def _beside(cell, node_at, edges, e):  # type: ignore[no-untyped-def]
    """The edges from what is on top of a cell to what is beside it."""
    for direction in range(6):
        there = node_at[near(cell, direction)]
        if there >= 0:
            edges[0, e], edges[1, e], edges[2, e] = node_at[cell], there, BESIDE
            e += 1
    return e
