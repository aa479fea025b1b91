"""An equilibrium of contributors by its definition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graphwright.core import GraphBatch
from graphwright.envs.problems.independent_set.verify import joined
from graphwright.envs.verdict import Answer, Fault, Verdict, links_of, twice


def verify(instance: GraphBatch, answer: Answer, options: Mapping[str, Any]) -> Verdict:
    """Nobody gains by joining or leaving the contributors: no two are linked, and everybody else has one near.

    The objective is the sum of utilities: 1 for each player that is served, less the costs of the contributors.
    """
    nodes, cost = answer.nodes, instance.nodes["cost"].tolist()
    chosen = set(nodes)
    served = chosen.union(*(pair for pair in links_of(instance) if chosen & set(pair)))
    alone = [Fault("{} neither contributes nor has a neighbour that does", (node,)) for node in range(len(cost))]
    unserved = [fault for fault in alone if fault.nodes[0] not in served]
    welfare = len(served) - math.fsum(cost[node] for node in chosen)
    return Verdict(welfare, [*twice(nodes), *joined(instance, nodes), *unserved])
