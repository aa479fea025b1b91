"""In which order a robot would take its moves if nobody kept it from them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.envs.randomness import node_streams, uniform
from graphwright.envs.teams.path_finding.ways import MOVES

MOST = 5
"""The rank of a move that cannot be made."""


def preferences(state: GraphBatch, away: Tensor) -> tuple[Tensor, Tensor]:
    """[D, 5] int64: the actions of each robot, best first, -1 for those that there are not; and the rank of each.

    away: [D, S, S] of the targets, see `distances`. Nearest to the target comes first. Among equals it is where fewest
    of the robots beside want to go (the hindrance of Okumura & Nagai 2025, "Lightweight and effective preference
    construction in PIBT for large-scale multi-agent pathfinding"), then where nobody stands, with some chance: a hash
    of `seed`, `number` and time.
    """
    streams, time = node_streams(state), state.graphs["time"][state.node_graph]
    noise = torch.stack([uniform(streams, time, 1 + choice) for choice in range(5)], 1)
    options = torch.full((state.num_nodes, 5), -1, dtype=torch.int64)
    ranks = torch.full((state.num_nodes, 5), MOST, dtype=torch.int64)
    given = (state.graphs["map"], state.node_ptr, state.nodes["cell"], away, noise)
    _prefer(*arrays(*(each.cpu() for each in given), MOVES, options, ranks))
    return options.to(state.device), ranks.to(state.device)


@jit_as_written
def _prefer(maps, ptr, cell, away, noise, moves, options, ranks):  # type: ignore[no-untyped-def]
    """Fill `options` and `ranks`."""
    height, width = maps.shape[1], maps.shape[2]
    now = np.full((height + 2, width + 2), -1, np.int64)
    cost = np.empty(5)
    for graph in range(ptr.shape[0] - 1):
        for robot in range(ptr[graph], ptr[graph + 1]):
            now[cell[robot, 0] + 1, cell[robot, 1] + 1] = robot
        for robot in range(ptr[graph], ptr[graph + 1]):
            row, column = cell[robot, 0], cell[robot, 1]
            for choice in range(5):
                cost[choice] = np.inf
                r, c = row + moves[choice, 0], column + moves[choice, 1]
                if not (0 <= r < height and 0 <= c < width) or maps[graph, r, c] != 0:
                    continue
                there = now[r + 1, c + 1]
                hindered = 0
                for side in range(1, 5):
                    r2, c2 = row + moves[side, 0], column + moves[side, 1]
                    other = now[r2 + 1, c2 + 1]
                    hindered += other >= 0 and side != choice and away[other, r, c] < away[other, r2, c2]
                apart = 0.1 * (there >= 0 and there != robot) + 0.1 * noise[robot, choice]
                cost[choice] = away[robot, r, c] + 0.2 * hindered + apart
            for place in range(5):
                best = 0
                for choice in range(1, 5):
                    if cost[choice] < cost[best]:
                        best = choice
                if cost[best] == np.inf:
                    break
                options[robot, place] = best
                ranks[robot, best] = place
                cost[best] = np.inf
        for robot in range(ptr[graph], ptr[graph + 1]):
            now[cell[robot, 0] + 1, cell[robot, 1] + 1] = -1
