"""Perfect play of games of k in a row."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.envs.games.lines.kernels import cells_of, windows_of
from graphwright.envs.games.search import ILLEGAL, solve_moves


def values_of_moves(state: GraphBatch, position: Tensor, k: int, falls: bool) -> Tensor:
    """[N] int64: what each move is worth to the side that makes it, with perfect play after it; see `games/search.py`.

    position: [N, 2] int64, (column, row). falls: whether stones fall to the last row.
    """
    batch = state.to("cpu")
    value = torch.full((batch.num_nodes,), ILLEGAL)
    columns = arrays(batch.node_ptr, position.cpu(), batch.nodes["owner"], batch.graphs["player"])
    _solve(*columns, k, falls, value.numpy())
    return value.to(state.device)


@jit_as_written
def _solve(node_ptr, position, owner, player, k, falls, value):  # type: ignore[no-untyped-def]
    nothing = np.empty(0, np.uint64)
    for graph in range(player.size):
        start, end = node_ptr[graph], node_ptr[graph + 1]
        cells = cells_of(start, end, position)
        windows = windows_of(cells, k)
        below = np.full(end - start, -1, np.int64)
        if falls:
            for x in range(cells.shape[0]):
                for y in range(cells.shape[1] - 1):
                    if cells[x, y] < 0 or cells[x, y + 1] < 0:  # no cell, or one that rests on none
                        continue
                    below[cells[x, y] - start] = cells[x, y + 1] - start
        lines = np.zeros(windows.shape[0], np.uint64)
        for w in range(windows.shape[0]):
            for place in range(k):
                lines[w] |= np.uint64(1) << np.uint64(windows[w, place] - start)
        sides = np.zeros(2, np.uint64)
        for v in range(start, end):
            if owner[v] >= 0:
                sides[owner[v]] |= np.uint64(1) << np.uint64(v - start)
        mine, theirs = sides[player[graph]], sides[1 - player[graph]]
        solve_moves(mine, theirs, True, end - start, below, lines, nothing, nothing, value[start:end])
