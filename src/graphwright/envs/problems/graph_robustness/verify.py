"""The critical fraction of a graph with links added, by its definition."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from graphwright.core import GraphBatch
from graphwright.envs.verdict import Fault, Pair, Verdict, links_of, unordered


def verify(instance: GraphBatch, nodes: Sequence[int], links: Sequence[Pair]) -> Verdict:
    """`links` are new ones; the objective is the mean share of nodes, those of most links first, that go before the
    rest is in pieces, over the orders of the instance. How many links may be added is not told by a file."""
    known, added = set(links_of(instance)), unordered(links)
    faults = [Fault("{} – {} is a link already", pair) for pair in added if pair in known]
    faults += [Fault("{} is joined with itself", pair[:1]) for pair in added if pair[0] == pair[1]]
    around: list[set[int]] = [set() for _ in range(instance.num_nodes)]
    for one, other in known | set(added):
        around[one].add(other)
        around[other].add(one)
    turns = instance.nodes["turn"].T.tolist()
    return Verdict(fmean(_lost(around, turn) for turn in turns) / max(len(around), 1), faults)


def _lost(around: list[set[int]], turn: list[int]) -> int:
    """How many nodes go before the rest is in pieces."""
    order = sorted(range(len(around)), key=lambda node: (-len(around[node]), turn[node]))
    for gone in range(len(order)):
        left = set(order[gone:])
        reached, front = set(), [order[gone]]
        while front:
            node = front.pop()
            if node not in reached:
                reached.add(node)
                front.extend(around[node] & left)
        if reached != left:
            return gone
    return max(len(order) - 1, 0)
