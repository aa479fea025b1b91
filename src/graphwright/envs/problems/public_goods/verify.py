"""An equilibrium of contributors by its definition."""

from __future__ import annotations

import math
from collections.abc import Sequence

from graphwright.core import GraphBatch
from graphwright.envs.problems.independent_set.verify import joined
from graphwright.envs.verdict import Fault, Pair, Verdict, links_of, twice


def verify(instance: GraphBatch, nodes: Sequence[int], links: Sequence[Pair]) -> Verdict:
    """Nobody gains by joining or leaving the contributors `nodes`: no two are linked, and everybody else has one near.

    The objective is the sum of utilities: 1 for each player that is served, less the costs of the contributors.
    """
    chosen, cost = set(nodes), instance.nodes["cost"].tolist()
    served = chosen.union(*(pair for pair in links_of(instance) if chosen & set(pair)))
    alone = [Fault("{} neither contributes nor has a neighbour that does", (node,)) for node in range(len(cost))]
    unserved = [fault for fault in alone if fault.nodes[0] not in served]
    welfare = len(served) - math.fsum(cost[node] for node in chosen)
    return Verdict(welfare, [*twice(nodes), *joined(instance, nodes), *unserved])
