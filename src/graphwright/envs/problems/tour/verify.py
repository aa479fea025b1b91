"""A tour by its definition, with the distances of TSPLIB (Reinelt 1991)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from graphwright.core import GraphBatch
from graphwright.envs.planned import PlanStep
from graphwright.envs.problems.tour.plane import GLOBE, NEAREST, PSEUDO, UP
from graphwright.envs.verdict import Answer, Fault, Verdict, told_wrongly, twice

Point = list[float]


def verify(instance: GraphBatch, answer: Answer, options: Mapping[str, Any]) -> Verdict:
    """The nodes in their order visit each point once; the objective is the length of the way back to the first.

    The plan, if one is given, goes that way.
    """
    position, rounding = instance.nodes["position"].tolist(), int(instance.graphs["rounding"][0])
    measure = _DISTANCES[rounding]
    planned = [step.node for step in answer.plan or () if step.node is not None]
    nodes = list(answer.nodes) or planned[: instance.num_nodes]
    missing = sorted(set(range(instance.num_nodes)) - set(nodes))
    way = [*nodes[1:], *nodes[:1]] if len(nodes) > 1 else []
    legs = [measure(position[one], position[other]) for one, other in zip(nodes, way, strict=False)]
    faults = [*twice(nodes), *(Fault("{} is not visited", (node,)) for node in missing)]
    return Verdict(math.fsum(legs), faults + _told(answer.plan, nodes, way, legs))


def _told(plan: Sequence[PlanStep] | None, nodes: list[int], way: list[int], legs: list[float]) -> list[Fault]:
    """What is wrong with the plan of a tour: another way, or other lengths."""
    if plan is None:
        return []
    if [(step.do, step.node) for step in plan] != [
        *(("start", node) for node in nodes[:1]),
        *(("go", node) for node in way),
    ]:
        return [Fault("its `plan` goes another way than its `nodes`, and back to the first")]
    so_far = [0.0, *accumulate(legs)]
    return told_wrongly(plan, so_far, so_far)


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
