"""A drive among moving obstacles, by its definition: each obstacle is followed on its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from graphwright.core import GraphBatch
from graphwright.envs.problems.path_search.verify import retold, walked
from graphwright.envs.verdict import Answer, Fault, Verdict, links_of, missing_plan, told_wrongly

_SIDES = {1: (0, 1), 2: (1, 0), 3: (0, -1), 4: (-1, 0)}  # north, east, south, west: columns and rows


def verify(instance: GraphBatch, answer: Answer, options: Mapping[str, Any]) -> Verdict:
    """The plan goes from cell to cell, or waits, meets no obstacle and ends at the goal; the objective is its steps.

    One that does not get there is worth the limit.
    """
    place = [(int(column), int(row)) for column, row in instance.nodes["position"].tolist()]
    extent = max(column for column, _ in place) + max(row for _, row in place) + 2
    limit = float(math.ceil(extent * options["limit"]))
    if faults := missing_plan(answer):
        return Verdict(limit, faults)
    assert answer.plan is not None
    (goal,) = instance.nodes["goal"].nonzero().squeeze(1).tolist()
    walk, faults = walked(instance, answer.plan, stays=True)
    faults += _collisions(instance, place, walk)
    if not walk or walk[-1] != goal:
        faults.append(Fault("it does not end on {}", (goal,)))
    if goal in walk[:-1]:
        faults.append(Fault("it goes on after {} is reached", (goal,)))
    if len(walk) - 1 > limit:
        faults.append(Fault(f"it takes {len(walk) - 1} steps, and {limit:.0f} are allowed"))
    arrives = not faults
    counted = [float(number) for number in range(len(answer.plan))]
    faults += [*told_wrongly(answer.plan, counted, counted), *retold(instance, walk, answer)]
    return Verdict(float(len(walk) - 1) if arrives else limit, faults)


def _collisions(instance: GraphBatch, place: list[tuple[int, int]], walk: Sequence[int]) -> list[Fault]:
    """A fault for the first obstacle that is run into: on the cell of the robot, or changing places with it."""
    at = {cell: node for node, cell in enumerate(place)}
    links = set(links_of(instance))
    links |= {(other, one) for one, other in links}

    def ahead(node: int, direction: int) -> int | None:
        (column, row), (right, up) = place[node], _SIDES[direction]
        found = at.get((column + right, row + up))
        return found if found is not None and (node, found) in links else None

    obstacles = [(node, kind) for node, kind in enumerate(instance.nodes["obstacle"].tolist()) if kind]
    for number, (before, after) in enumerate(pairwise(walk), 1):
        moved = []
        for node, direction in obstacles:
            if ahead(node, direction) is None:
                direction = (direction + 1) % 4 + 1  # it turns round
            following = ahead(node, direction)
            following = node if following is None else following
            moved.append((following, direction))
            if following == after or (following == before and node == after and before != after):
                return [Fault(f"step {number} runs into the obstacle that comes from {{}}", (node,))]
        obstacles = moved
    return []
