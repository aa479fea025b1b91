"""A walk from the start to the target, by its definition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from graphwright.core import GraphBatch
from graphwright.envs.planned import PlanStep
from graphwright.envs.verdict import Answer, Fault, Verdict, links_of, missing_plan, told_wrongly, unordered


def verify(instance: GraphBatch, answer: Answer, options: Mapping[str, Any]) -> Verdict:
    """The plan goes along links to the target, and ends there; the objective is the number of hops.

    One that does not get there is worth the limit.
    """
    if faults := missing_plan(answer):
        return Verdict(_limit(instance, options), faults)
    assert answer.plan is not None
    (target,) = instance.nodes["target"].nonzero().squeeze(1).tolist()
    walk, faults = walked(instance, answer.plan, stays=False)
    hops, limit = len(walk) - 1, _limit(instance, options)
    if not walk or walk[-1] != target:
        faults.append(Fault("it does not end on {}", (target,)))
    if target in walk[:-1]:
        faults.append(Fault("it goes on after {} is reached", (target,)))
    if hops > limit:
        faults.append(Fault(f"it takes {hops} hops, and {limit:.0f} are allowed"))
    counted = [float(number) for number in range(len(answer.plan))]
    faults += [*told_wrongly(answer.plan, counted, counted), *retold(instance, walk, answer)]
    return Verdict(float(hops) if walk and walk[-1] == target and hops <= limit else limit, faults)


def walked(instance: GraphBatch, plan: Sequence[PlanStep], *, stays: bool) -> tuple[list[int], list[Fault]]:
    """The nodes of a plan, one a step, as far as it can be followed, and what keeps it from being so.

    stays: whether a step may wait.
    """
    (start,) = instance.nodes["start"].nonzero().squeeze(1).tolist()
    if (plan[0].do, plan[0].node) != ("start", start):
        return [], [Fault("its `plan` does not begin with a start at {}", (start,))]
    links, walk = set(links_of(instance)), [start]
    for number, step in enumerate(plan[1:], 1):
        if step.node is None or step.do not in (("go", "wait") if stays else ("go",)):
            return walk, [Fault(f"step {number} of its `plan` goes nowhere")]
        if step.do == "wait" and step.node != walk[-1]:
            return walk, [Fault(f"step {number} waits at {{}}, away from {{}}", (step.node, walk[-1]))]
        if step.do == "go" and (min(step.node, walk[-1]), max(step.node, walk[-1])) not in links:
            return walk, [Fault(f"step {number} goes from {{}} to {{}}, which no link joins", (walk[-1], step.node))]
        walk.append(step.node)
    return walk, []


def retold(instance: GraphBatch, walk: Sequence[int], answer: Answer) -> list[Fault]:
    """What `nodes` and `links` of a solution, if they are given, say otherwise than the walk of its plan."""
    faults = []
    if answer.nodes and list(answer.nodes) != list(dict.fromkeys(walk)):
        faults.append(Fault("its `nodes` are not those of its `plan` in the order in which they are first reached"))
    links = set(links_of(instance))
    others = [pair for pair in unordered(answer.links) if pair not in links or not set(walk).issuperset(pair)]
    return faults + [Fault("{} – {} is no link between nodes of its `plan`", pair) for pair in others]


def _limit(instance: GraphBatch, options: Mapping[str, Any]) -> float:
    return float(math.ceil(instance.num_nodes * options["limit"]))
