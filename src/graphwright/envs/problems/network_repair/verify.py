"""A plan of repairs, switchings and waits, by the definition of the problem."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graphwright.core import GraphBatch
from graphwright.envs.planned import PlanStep
from graphwright.envs.verdict import (
    Answer,
    Fault,
    Pair,
    Verdict,
    links_column,
    links_of,
    missing_plan,
    told_wrongly,
    unordered,
)

_ROUNDING = 1e-9  # of the longest repair: energies are sums


def verify(instance: GraphBatch, answer: Answer, options: Mapping[str, Any]) -> Verdict:
    """Every step of the plan may be taken when it is, and all demand is served after the last and no sooner.

    The objective is the sum over steps of their durations times the share of the demand that is dark meanwhile.
    """
    crew = _Crew(instance, options)
    faults = [] if not crew.dark() else missing_plan(answer)
    times, totals, time, outage = list[float](), list[float](), 0.0, 0.0
    for number, step in enumerate(answer.plan or ()):
        dark = crew.dark()
        if not dark:
            faults.append(Fault(f"step {number} comes after all demand is served"))
        faults += [Fault(f"step {number}: {fault.text}", fault.nodes) for fault in crew.may_not(step)]
        duration = crew.take(step)
        time, outage = time + duration, outage + duration * dark
        times.append(time)
        totals.append(outage)
    faults += [Fault("{} is without supply", (node,)) for node in crew.without_supply()]
    faults += told_wrongly(answer.plan or (), times, totals)
    if answer.nodes and list(answer.nodes) != crew.repaired:
        faults.append(Fault("its `nodes` are not those that its `plan` repairs, in that order"))
    if answer.links and set(unordered(answer.links)) != crew.closed - crew.closed_first:
        faults.append(Fault("its `links` are not those that its `plan` switches on"))
    return Verdict(outage, faults)


class _Crew:
    """One damaged network and who repairs it."""

    def __init__(self, instance: GraphBatch, options: Mapping[str, Any]) -> None:
        self.options, nodes = options, instance.nodes
        links = links_of(instance)
        spare = links_column(instance, "spare")
        self.spare = {pair for pair, is_spare in zip(links, spare, strict=True) if is_spare}
        self.closed_first = set(links) - self.spare
        self.closed, self.repaired = set(self.closed_first), list[int]()
        self.source = set(nodes["source"].nonzero().squeeze(1).tolist())
        self.broken = set(nodes["broken"].nonzero().squeeze(1).tolist())
        self.demand, self.effort = nodes["demand"].tolist(), nodes["repair_time"].tolist()
        self.longest = max((self.effort[node] for node in self.broken), default=1.0)
        self.most = self.energy = options["stamina"] * self.longest
        self.switchings = math.ceil(options["spares"] * len(self.broken))

    def served(self) -> set[int]:
        """The nodes that working ones and closed links join to a working source."""
        around: dict[int, list[int]] = {}
        for one, other in self.closed:
            around.setdefault(one, []).append(other)
            around.setdefault(other, []).append(one)
        found = self.source - self.broken
        waiting = list(found)
        while waiting:
            for other in around.get(waiting.pop(), ()):
                if other not in self.broken and other not in found:
                    found.add(other)
                    waiting.append(other)
        return found

    def without_supply(self) -> list[int]:
        """The nodes with a demand that are not served."""
        served = self.served()
        return [node for node, demand in enumerate(self.demand) if demand > 0 and node not in served]

    def dark(self) -> float:
        """The share of the demand that is not served."""
        return math.fsum(self.demand[node] for node in self.without_supply()) / (math.fsum(self.demand) or 1.0)

    def may_not(self, step: PlanStep) -> list[Fault]:
        """Why `step` may not be taken now."""
        if step.do == "repair" and step.node is not None:
            if step.node not in self.broken:
                return [Fault("{} is not broken", (step.node,))]
            return [] if self._suffices(step.node) else [Fault("the crew is too tired to repair {}", (step.node,))]
        if step.do == "switch" and step.link is not None:
            return [] if self._useful(step.link) else [Fault("{} – {} cannot be switched on", step.link)]
        if step.do == "wait":
            return [] if self._may_wait() else [Fault("it waits, though it may not")]
        return [Fault("it neither repairs a node, nor switches a link on, nor waits")]

    def take(self, step: PlanStep) -> float:
        """Take it all the same, and return how long it takes."""
        if step.do == "repair" and step.node is not None:
            self.broken.discard(step.node)
            self.repaired.append(step.node)
            self.energy -= self.effort[step.node]
            return float(self.effort[step.node])
        duration = self.options["rest"] * self.longest
        if step.do == "switch" and step.link is not None:
            self.closed.update(unordered([step.link]))
            self.switchings -= 1
            duration = self.options["switching"] * self.longest
        self.energy = min(self.energy + self.options["recovery"] * duration, self.most)
        return float(duration)

    def _suffices(self, node: int) -> bool:
        return bool(self.effort[node] <= self.energy + _ROUNDING * self.longest)

    def _useful(self, link: Pair) -> bool:
        """Whether it is spare and open, and joins a served node with a working one that is not."""
        (pair,) = unordered([link])
        lit = self.served()
        one, other = pair if pair[0] in lit else pair[::-1]
        joins = one in lit and other not in lit and other not in self.broken
        return pair in self.spare - self.closed and joins and self.switchings > 0

    def _may_wait(self) -> bool:
        if self.options["wait"] == "tired":
            return not all(map(self._suffices, self.broken))
        return not any(map(self._suffices, self.broken)) and not any(map(self._useful, self.spare))
