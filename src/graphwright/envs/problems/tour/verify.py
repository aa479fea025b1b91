"""A tour by its definition, with the distances of TSPLIB (Reinelt 1991)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from graphwright.core import GraphBatch
from graphwright.envs.problems.tour.plane import GLOBE, NEAREST, PSEUDO, UP
from graphwright.envs.verdict import Fault, Pair, Verdict, twice

Point = list[float]


def verify(instance: GraphBatch, nodes: Sequence[int], links: Sequence[Pair]) -> Verdict:
    """`nodes` in their order visit each point once; the objective is the length of the way back to the first."""
    position, rounding = instance.nodes["position"].tolist(), int(instance.graphs["rounding"][0])
    measure = _DISTANCES[rounding]
    missing = sorted(set(range(instance.num_nodes)) - set(nodes))
    steps = zip(nodes, [*nodes[1:], *nodes[:1]], strict=True) if len(nodes) > 1 else ()
    length = math.fsum(measure(position[one], position[other]) for one, other in steps)
    return Verdict(length, [*twice(nodes), *(Fault("{} is not visited", (node,)) for node in missing)])


def _globe(one: Point, other: Point) -> float:
    if one == other:
        return 0.0
    angles = []
    for point in (one, other):
        for value in point:
            degrees = math.trunc(value)
            angles.append(3.141592 * (degrees + 5.0 * (value - degrees) / 3.0) / 180.0)
    q1 = math.cos(angles[1] - angles[3])
    q2 = math.cos(angles[0] - angles[2])
    q3 = math.cos(angles[0] + angles[2])
    arc = 0.5 * ((1.0 + q1) * q2 - (1.0 - q1) * q3)
    return float(math.floor(6378.388 * math.acos(min(max(arc, -1.0), 1.0)) + 1.0))


_DISTANCES: dict[int, Callable[[Point, Point], float]] = {
    0: math.dist,
    NEAREST: lambda one, other: math.floor(math.dist(one, other) + 0.5),
    UP: lambda one, other: math.ceil(math.dist(one, other)),
    PSEUDO: lambda one, other: math.ceil(math.sqrt(math.dist(one, other) ** 2 / 10)),
    GLOBE: _globe,
}
