"""What a network sees does not change with the unit of a user's numbers."""

from __future__ import annotations

import torch

from graphwright.core import GraphBatch, GraphError
from graphwright.envs.conformance.calls import Watched
from graphwright.envs.conformance.compare import ROWS, ConformanceError, first_difference
from graphwright.envs.conformance.tables import seen_alone
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import random_choice
from graphwright.envs.rollouts import has_choice

_FACTOR = 1024.0  # a power of two: no digit changes
_STEPS = 12


def check_units(watched: Watched, environment: Optimization, instances: GraphBatch, generator: torch.Generator) -> None:
    """Multiply one real column of `instances` at a time, and look at observations where the objective follows it."""
    if environment.actions.continuous:
        return  # of physics, whose units are given
    for table, one in ROWS.items():
        for name, column in getattr(instances, table).items():
            if not column.is_floating_point():
                continue
            pair = _both_units(environment, instances, table, name)
            where = None if pair is None else _difference(watched, *pair, generator)
            if where is not None:
                raise ConformanceError(
                    f"observe: what is seen depends on the unit of the {one} column {name!r}: {where} when its numbers "
                    f"are multiplied by {_FACTOR:.0f}, by which the objective is multiplied too. Let `instance` keep "
                    "the largest (or the mean) of them as a graph column such as `scale`, and show numbers over it."
                )


def _both_units(
    environment: Optimization, instances: GraphBatch, table: str, name: str
) -> tuple[GraphBatch, GraphBatch] | None:
    """What `instance` makes of a user's graph with that column, and of it in another unit; None where it refuses.

    The other real columns are left out if they may be, as they may follow from this one.
    """
    for graph in (_without_others(instances, table, name), instances):
        column = getattr(graph, table)[name]
        scaled = getattr(graph, f"with_{table}")(**{name: column * _FACTOR})
        try:
            return environment.instance(graph), environment.instance(scaled)
        except (GraphError, ValueError, KeyError):
            continue
    return None


def _without_others(instances: GraphBatch, table: str, name: str) -> GraphBatch:
    kept = {
        other: [
            key
            for key, column in getattr(instances, other).items()
            if not column.is_floating_point() or (other, key) == (table, name)
        ]
        for other in ROWS
    }
    return instances.keep(**kept)


def _difference(watched: Watched, one: GraphBatch, other: GraphBatch, generator: torch.Generator) -> str | None:
    """The first difference in what is seen of the same steps of both; None where the objective does not follow."""
    environment, choose = watched.environment, random_choice(watched.environment, generator)
    one, other = watched.call("reset", one), watched.call("reset", other, of="graphs in another unit")
    found, follows = None, False
    for time in range(_STEPS):
        seen, twin = watched.call("observe", one), watched.call("observe", other, of="graphs in another unit")
        where = first_difference(seen_alone(environment, seen), seen_alone(environment, twin), 1e-4)
        found = found or (where and f"{where} (step {time})")
        left, right = watched.call("objective", one), watched.call("objective", other)
        if not torch.allclose(left * _FACTOR, right, rtol=1e-5, atol=0):
            return None
        follows |= bool((left != 0).any())
        going = has_choice(environment, seen).nonzero().squeeze(1)
        action = choose(seen) if going.numel() else None
        if action is None or not _legal_in_both(watched, seen, twin):
            break
        action = environment.actions.select(seen.graph, action, going)
        left_step = watched.call("step", one.select(going), action)
        right_step = watched.call("step", other.select(going), action, of="graphs in another unit")
        going = (~(left_step.terminated | left_step.truncated)).nonzero().squeeze(1)
        one, other = left_step.state.select(going), right_step.state.select(going)
        if not going.numel():
            break
    return found if follows else None


def _legal_in_both(watched: Watched, seen: object, twin: object) -> bool:
    return first_difference(seen.masks, twin.masks) is None  # type: ignore[attr-defined]
