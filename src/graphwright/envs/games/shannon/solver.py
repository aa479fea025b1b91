"""Perfect play of the switching game."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.core.segment import segment_sum
from graphwright.envs.games.search import ILLEGAL, solve_moves

_MOST_CELLS = 64  # bits of a number


def values_of_moves(state: GraphBatch) -> Tensor:
    """[N] int64: what each move is worth to the side that makes it, with perfect play after it; see `games/search.py`.

    Raises ValueError for graphs of more than 64 nodes besides the terminals and those that are Cut's.
    """
    batch = state.to("cpu")
    cuts = batch.nodes["owner"] == (1 - batch.graphs["connector"])[batch.node_graph]
    size = segment_sum(~batch.nodes["terminal"] & ~cuts, batch.node_segments)
    if size.numel() and int(size.max()) > _MOST_CELLS:
        room = f"at most {_MOST_CELLS} nodes that are not cut, not {int(size.max())}"
        raise ValueError(f"perfect play is found of positions with {room}; choose a smaller board")
    value = torch.full((batch.num_nodes,), ILLEGAL)
    columns = (batch.nodes["owner"], batch.nodes["terminal"], batch.graphs["connector"], batch.graphs["player"])
    most = int(batch.in_degree.max()) if batch.num_nodes else 0
    order = torch.argsort(batch.node_graph * (most + 1) + most - batch.in_degree, stable=True)  # of each graph alone
    _solve(*arrays(batch.node_ptr, batch.in_edges.ptr, batch.edge_index[0], order, *columns, value))
    return value.to(state.device)


@jit_as_written
def _solve(node_ptr, edge_ptr, source, order, owner, terminal, short, player, value):  # type: ignore[no-untyped-def]
    for graph in range(player.size):
        start, end = node_ptr[graph], node_ptr[graph + 1]
        cell, cells = np.full(end - start, -1, np.int64), np.empty(end - start, np.int64)
        size = 0
        for v in order[start:end]:
            if not terminal[v] and owner[v] != 1 - short[graph]:
                cell[v - start], cells[size] = size, v
                size += 1
        near, ends, sides = np.zeros(size, np.uint64), np.zeros(2, np.uint64), np.zeros(2, np.uint64)
        place = 0
        for v in range(start, end):
            around = np.uint64(0)
            for e in range(edge_ptr[v], edge_ptr[v + 1]):
                if cell[source[e] - start] >= 0:
                    around |= np.uint64(1) << np.uint64(cell[source[e] - start])
            if terminal[v]:
                ends[place] = around
                place += 1
            elif cell[v - start] >= 0:
                near[cell[v - start]] = around
                if owner[v] >= 0:
                    sides[owner[v]] |= np.uint64(1) << np.uint64(cell[v - start])
        worth, below, lines = np.empty(size, np.int64), np.full(size, -1, np.int64), np.empty(0, np.uint64)
        mine, theirs = sides[player[graph]], sides[1 - player[graph]]
        solve_moves(mine, theirs, player[graph] == short[graph], size, below, lines, near, ends, worth)
        for c in range(size):
            value[cells[c]] = worth[c]
