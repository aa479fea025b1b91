"""The critical fraction of a graph with links added, by its definition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from graphwright.core import GraphBatch
from graphwright.envs.verdict import Answer, Fault, Pieces, Verdict, links_of, unordered


def verify(instance: GraphBatch, answer: Answer, options: Mapping[str, Any]) -> Verdict:
    """The links are new ones, as many as the budget allows; the objective is the mean share of nodes that go, those of
    most links first where removal is targeted, before the rest is in pieces, over the orders of the instance.
    """
    known, added, size = set(links_of(instance)), unordered(answer.links), instance.num_nodes
    budget = min(max(round(options["budget"] * len(known)), 1), size * (size - 1) // 2 - len(known))
    faults = [Fault("{} – {} is a link already", pair) for pair in added if pair in known]
    faults += [Fault("{} is joined with itself", pair[:1]) for pair in added if pair[0] == pair[1]]
    faults += [Fault("{} – {} is added more than once", pair) for pair, times in Counter(added).items() if times > 1]
    if len(added) != budget:
        faults.append(Fault(f"it adds {len(added)} links, and {budget} are to be added"))
    around: list[set[int]] = [set() for _ in range(size)]
    for one, other in known | set(added):
        around[one].add(other)
        around[other].add(one)
    turns = instance.nodes["turn"].T.tolist()
    targeted = options["removal"] == "targeted"
    return Verdict(fmean(_lost(around, turn, targeted) for turn in turns) / max(size, 1), faults)


def _lost(around: list[set[int]], turn: list[int], targeted: bool) -> int:
    """How many nodes go before the rest is in pieces: seen from the end, as nodes come back and join pieces."""
    order = sorted(range(len(around)), key=lambda node: (-len(around[node]) if targeted else 0, turn[node]))
    there, pieces, lost = Pieces(len(order)), 0, max(len(order) - 1, 0)
    back: set[int] = set()
    for gone in reversed(range(len(order))):
        node = order[gone]
        back.add(node)
        pieces += 1 - sum(there.join(node, other) for other in around[node] & back)
        if pieces > 1:
            lost = gone
    return lost
