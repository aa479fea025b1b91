"""A cut by its definition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graphwright.core import GraphBatch
from graphwright.envs.verdict import Answer, Fault, Verdict, links_column, links_of, twice, unordered


def verify(instance: GraphBatch, answer: Answer, options: Mapping[str, Any]) -> Verdict:
    """The nodes are one side, and the links, if any are given, those that cross; the objective is their weight."""
    side = set(answer.nodes)
    weight = dict(zip(links_of(instance), links_column(instance, "weight"), strict=True))
    across = {pair for pair in weight if len(side.intersection(pair)) == 1}
    given = set(unordered(answer.links)) if answer.links else across
    faults = [Fault("{} – {} is said to cross the cut, and does not", pair) for pair in sorted(given - across)]
    faults += [Fault("{} – {} crosses the cut, and is not said to", pair) for pair in sorted(across - given)]
    return Verdict(math.fsum(weight[pair] for pair in across), [*twice(answer.nodes), *faults])
