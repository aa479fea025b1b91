"""The critical fraction of a graph with links added, by its definition."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from graphwright.core import GraphBatch
from graphwright.envs.verdict import Fault, Pair, Pieces, Verdict, links_of, unordered


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
    """How many nodes go before the rest is in pieces: seen from the end, as nodes come back and join pieces."""
    order = sorted(range(len(around)), key=lambda node: (-len(around[node]), turn[node]))
    there, pieces, lost = Pieces(len(order)), 0, max(len(order) - 1, 0)
    back: set[int] = set()
    for gone in reversed(range(len(order))):
        node = order[gone]
        back.add(node)
        pieces += 1 - sum(there.join(node, other) for other in around[node] & back)
        if pieces > 1:
            lost = gone
    return lost
