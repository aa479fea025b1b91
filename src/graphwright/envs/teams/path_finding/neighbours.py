"""Robots close enough to get in each other's way, and how their wishes meet."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays, jit_as_written
from graphwright.core.segment import Segments
from graphwright.envs.teams.path_finding.preference import MOST
from graphwright.envs.teams.path_finding.ways import MOVES

REACH = 2
"""Robots farther apart, in steps, can neither want the same cell nor each other's."""
_MOST_NEAR = 2 * REACH * (REACH + 1)


def neighbours(state: GraphBatch, lot: Tensor, ranks: Tensor) -> GraphBatch:
    """The robots, with edges between those at most 2 steps apart.

    lot: [D], see `lots`; ranks: [D, 5], see `preferences`. Edge columns: `relative` [2], where the source is seen from
    the end, in units of 2 cells; `yields` [2], whether the end goes after the source, by lot, and by number as
    collisions are settled; `wants` [25], for each of the five cells that the end may come to, whether it is the cell
    that the source wants first, second, and so on; `ahead` [5], whether the source is in the cell that the end wants
    first, second, and so on.
    """
    count, device = state.num_nodes, state.device
    sources, columns = torch.empty(count * _MOST_NEAR, dtype=torch.int64), count * _MOST_NEAR
    numbers = torch.zeros(columns, 2 + 2 + 25 + 5)
    degree = torch.zeros(count, dtype=torch.int64)
    given = (state.graphs["map"], state.node_ptr, state.nodes["cell"], lot, state.nodes["number"], ranks)
    found = _meet(*arrays(*(each.cpu() for each in given), MOVES, sources, numbers, degree))
    numbers, degree = numbers[:found].to(device), degree.to(device)
    end = torch.arange(count, device=device).repeat_interleave(degree)
    relative, yields, wants, ahead = numbers.split([2, 2, 25, 5], 1)
    return GraphBatch.trusted(
        torch.stack([sources[:found].to(device), end]),
        state.node_segments,
        Segments.from_lengths(torch.bincount(state.node_graph[end], minlength=state.num_graphs)),
        edges={"relative": relative, "yields": yields, "wants": wants, "ahead": ahead},
        in_degree=degree,
    )


@jit_as_written
def _meet(maps, ptr, cell, lot, number, ranks, moves, sources, numbers, degree):  # type: ignore[no-untyped-def]
    """Fill `sources` and `numbers`, grouped by end, and `degree`; how many edges there are."""
    margin = REACH
    now = np.full((maps.shape[1] + 2 * margin, maps.shape[2] + 2 * margin), -1, np.int64)
    edge = 0
    for graph in range(ptr.shape[0] - 1):
        for robot in range(ptr[graph], ptr[graph + 1]):
            now[cell[robot, 0] + margin, cell[robot, 1] + margin] = robot
        for end in range(ptr[graph], ptr[graph + 1]):
            first = edge
            for down in range(-margin, margin + 1):
                for right in range(-margin, margin + 1):
                    source = now[cell[end, 0] + margin + down, cell[end, 1] + margin + right]
                    if source < 0 or source == end or abs(down) + abs(right) > margin:
                        continue
                    place = edge
                    while place > first and sources[place - 1] > source:  # in the order of the robots
                        sources[place] = sources[place - 1]
                        place -= 1
                    sources[place] = source
                    edge += 1
            for place in range(first, edge):
                source = sources[place]
                down, right = cell[source, 0] - cell[end, 0], cell[source, 1] - cell[end, 1]
                numbers[place, 0], numbers[place, 1] = down / margin, right / margin
                numbers[place, 2], numbers[place, 3] = lot[source] > lot[end], number[source] < number[end]
                for own in range(5):
                    if moves[own, 0] == down and moves[own, 1] == right and ranks[end, own] < MOST:
                        numbers[place, 29 + ranks[end, own]] = 1
                    for other in range(5):
                        same = down + moves[other, 0] == moves[own, 0] and right + moves[other, 1] == moves[own, 1]
                        if same and ranks[source, other] < MOST:
                            numbers[place, 4 + 5 * own + ranks[source, other]] = 1
            degree[end] = edge - first
        for robot in range(ptr[graph], ptr[graph + 1]):
            now[cell[robot, 0] + margin, cell[robot, 1] + margin] = -1
    return edge
