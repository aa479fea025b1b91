"""What robots see around them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.envs.teams.path_finding.ways import FAR

RADIUS = 5
"""Robots see 11 x 11 cells."""
WIDTH = 2 * RADIUS + 1


def views(state: GraphBatch, away: Tensor) -> dict[str, Tensor]:
    """Name → [D, 121]: the cells around each robot, row by row. away: [D, S, S] of the targets, see `distances`.

    `walls`, obstacles and all outside the map, `others` and `goals` of others, uint8; `way` float32, how much farther
    from the own target a cell is than the robot, in units of 11 steps, from -1 to 1, 1 where there is no way.
    """
    seen = {name: torch.zeros(state.num_nodes, WIDTH**2, dtype=torch.uint8) for name in ("walls", "others", "goals")}
    way = torch.ones(state.num_nodes, WIDTH**2)
    given = (state.graphs["map"], state.node_ptr, state.nodes["cell"], state.nodes["target"], away)
    _look(*arrays(*(each.cpu() for each in given), *seen.values(), way))
    return {name: column.to(state.device) for name, column in {**seen, "way": way}.items()}


@jit_as_written
def _look(maps, ptr, cell, target, away, walls, others, goals, way):  # type: ignore[no-untyped-def]
    """Fill `walls`, `others`, `goals` and `way`."""
    height, width = maps.shape[1], maps.shape[2]
    taken, wanted = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    for graph in range(ptr.shape[0] - 1):
        taken[:], wanted[:] = 0, 0
        for robot in range(ptr[graph], ptr[graph + 1]):
            taken[cell[robot, 0], cell[robot, 1]] += 1
            wanted[target[robot, 0], target[robot, 1]] += 1
        for robot in range(ptr[graph], ptr[graph + 1]):
            here = away[robot, cell[robot, 0], cell[robot, 1]]
            taken[cell[robot, 0], cell[robot, 1]] -= 1
            wanted[target[robot, 0], target[robot, 1]] -= 1
            for place in range(WIDTH * WIDTH):
                r, c = cell[robot, 0] + place // WIDTH - RADIUS, cell[robot, 1] + place % WIDTH - RADIUS
                if not (0 <= r < height and 0 <= c < width):
                    walls[robot, place] = 1
                    continue
                walls[robot, place] = maps[graph, r, c]
                others[robot, place] = taken[r, c]
                goals[robot, place] = wanted[r, c]
                if away[robot, r, c] != FAR:
                    farther = (np.float32(away[robot, r, c]) - np.float32(here)) / np.float32(WIDTH)
                    way[robot, place] = min(max(farther, np.float32(-1)), np.float32(1))
            taken[cell[robot, 0], cell[robot, 1]] += 1
            wanted[target[robot, 0], target[robot, 1]] += 1
