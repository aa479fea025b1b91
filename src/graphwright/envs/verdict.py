"""`Verdict`: what a solution is worth, recomputed in plain Python without the environment that it was found in."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from graphwright.core import GraphBatch
from graphwright.core.numbers import shown
from graphwright.envs.planned import PlanStep

Pair = tuple[int, int]

_SUMS = 1e-9  # of a time or a total: what the order of summation may change in it


class Fault(NamedTuple):
    """What is wrong with a solution: a text with one {} for each of the nodes that it names."""

    text: str
    nodes: tuple[int, ...] = ()

    def named(self, names: Sequence[str]) -> str:
        """The text with the names of the nodes."""
        return self.text.format(*(names[node] for node in self.nodes))


class Verdict(NamedTuple):
    """The objective of a solution, as it is defined, and its faults; none where it solves the instance."""

    objective: float
    faults: list[Fault]


class Answer(NamedTuple):
    """What is to be checked: the nodes and links of a solution, and the steps of its plan; None where none is given."""

    nodes: Sequence[int] = ()
    links: Sequence[Pair] = ()
    plan: Sequence[PlanStep] | None = None


Verifier = Callable[[GraphBatch, Answer, Mapping[str, Any]], Verdict]
"""From one instance, a solution of it, and the options of the environment by their names, to the verdict."""


def missing_plan(answer: Answer) -> list[Fault]:
    """A fault where a solution that is a plan has none."""
    return [] if answer.plan else [Fault("it has no `plan`, which says what is done one step after the other")]


def told_wrongly(plan: Sequence[PlanStep], times: Sequence[float], totals: Sequence[float]) -> list[Fault]:
    """A fault for the first step whose time or total is not what it comes to, as `times` and `totals` have it."""
    for number, (step, time, total) in enumerate(zip(plan, times, totals, strict=False)):
        for name, said, found in (("time", step.time, time), ("total", step.total, total)):
            if not math.isclose(said, found, rel_tol=_SUMS, abs_tol=_SUMS):
                return [Fault(f"step {number} gives the {name} as {shown(said)}, and it is {shown(found)}")]
    return []


class Pieces:
    """Which of `size` nodes are joined, link by link (union-find; Tarjan 1975)."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def of(self, node: int) -> int:
        """The node that stands for the piece of `node`."""
        parent = self._parent
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def join(self, one: int, other: int) -> bool:
        """Whether the two were in different pieces, which are one from now on."""
        left, right = self.of(one), self.of(other)
        self._parent[left] = right
        return left != right


def links_of(instance: GraphBatch) -> list[Pair]:
    """Each link of an undirected instance once, the smaller node first, in the order of `links_column`."""
    return [(one, other) for one, other in instance.edge_index.T.tolist() if one < other]


def links_column(instance: GraphBatch, name: str) -> list[float]:
    """An edge column of an undirected instance, a number for each of `links_of`."""
    column = instance.edges[name].tolist()
    return [column[row] for row, (one, other) in enumerate(instance.edge_index.T.tolist()) if one < other]


def twice(nodes: Sequence[int]) -> list[Fault]:
    """A fault for each node that stands in a solution more than once."""
    return [Fault("{} stands in it more than once", (node,)) for node, count in Counter(nodes).items() if count > 1]


def unordered(links: Sequence[Pair]) -> list[Pair]:
    """`links` with the smaller node first."""
    return [(min(pair), max(pair)) for pair in links]
