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
    nodes, edges, to = nodes[:, :n].clone(), edges[:, :e].clone(), to[:e].clone()
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
        start, end = node_ptr[graph], node_ptr[graph + 1]
        size, newest, base = end - start, -1, n
        pieces, node_of = np.empty((size, 4), np.int64), np.full(size, -1, np.int64)
        set_up(start, end, kind, owner, q, r, level, pieces, top, height)
        in_hand, anchor = np.full((2, KINDS), -1, np.int64), -1
        for p in range(size):
            if last[start + p]:
                newest = p
            if pieces[p, CELL] >= 0:
                anchor = p
            else:
                same = in_hand[pieces[p, OWNER], pieces[p, KIND]]
                if same >= 0:
                    nodes[1, same] += 1
                    continue
                in_hand[pieces[p, OWNER], pieces[p, KIND]] = n
            nodes[0, n], nodes[1, n], node_of[p] = p, pieces[p, CELL] < 0, n
            n += 1
        first_free, free = n, np.empty(6 * size + 1, np.int64)
        if anchor < 0:
            free[0], node_at[0] = 0, n
            nodes[0, n], nodes[1, n] = -1, 0
            n += 1
        for p in range(size):
            cell = pieces[p, CELL]
            if cell < 0 or top[cell] != p:
                continue
            node_at[cell] = node_of[p]
            for direction in range(6):
                there = near(cell, direction)
                if height[there] == 0 and node_at[there] < 0:
                    free[n - first_free], node_at[there] = there, n
                    nodes[0, n], nodes[1, n] = -1, 0
                    n += 1
        for p in range(size):
            cell = pieces[p, CELL]
            if cell >= 0 and pieces[p, BELOW] >= 0:
                below = node_of[pieces[p, BELOW]]
                edges[0, e], edges[1, e], edges[2, e] = node_of[p], below, OVER
                edges[0, e + 1], edges[1, e + 1], edges[2, e + 1] = below, node_of[p], UNDER
                e += 2
            if cell >= 0 and top[cell] == p:
                e = _beside(cell, node_at, edges, e)
        for k in range(n - first_free):
            e = _beside(free[k], node_at, edges, e)
        for k in range(base, n):
            nodes[2, k], nodes[3, k] = 0, 0
        for p in range(size):
            if pieces[p, KIND] == QUEEN and pieces[p, CELL] >= 0:
                for direction in range(6):
                    there = near(pieces[p, CELL], direction)
                    around[graph, pieces[p, OWNER]] += height[there] > 0
                    nodes[2 + pieces[p, OWNER], node_at[there]] = 1
        count = 0
        if playing[graph]:
            count = legal_moves(size, pieces, top, height, player[graph], newest, marks, stamp, moves)
        for k in range(count):
            piece, cell = moves[k]
            edges[0, e], edges[1, e], edges[2, e] = node_of[piece], node_at[cell], MOVE
            to[e, 0], to[e, 1] = cell & 63, cell >> 6
            if anchor >= 0:  # the plane is not one of 64 by 64 cells
                from_q, from_r = q[start + anchor], r[start + anchor]
                to[e, 0] = from_q + ((to[e, 0] - from_q + 32) & 63) - 32
                to[e, 1] = from_r + ((to[e, 1] - from_r + 32) & 63) - 32
            e += 1
        for k in range(n - first_free):
            node_at[free[k]] = -1
        for p in range(size):
            if pieces[p, CELL] >= 0:
                node_at[pieces[p, CELL]] = -1
        num_nodes[graph] = n - base
        clear(size, pieces, top, height)
    return n, e


@jit_as_written
def _beside(cell, node_at, edges, e):  # type: ignore[no-untyped-def]
    """The edges from what is on top of a cell to what is beside it."""
    for direction in range(6):
        there = node_at[near(cell, direction)]
        if there >= 0:
            edges[0, e], edges[1, e], edges[2, e] = node_at[cell], there, BESIDE
            e += 1
    return e
