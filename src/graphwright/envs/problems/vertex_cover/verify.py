"""A vertex cover by its definition."""

from __future__ import annotations

import math
from collections.abc import Sequence

from graphwright.core import GraphBatch
from graphwright.envs.verdict import Fault, Pair, Verdict, links_of, twice


def verify(instance: GraphBatch, nodes: Sequence[int], links: Sequence[Pair]) -> Verdict:
    """Every link has an end among `nodes`; the objective is their weight."""
    chosen, weight = set(nodes), instance.nodes["weight"].tolist()
    bare = [Fault("nothing covers the link {} – {}", pair) for pair in links_of(instance) if not chosen & set(pair)]
    return Verdict(math.fsum(weight[node] for node in chosen), [*twice(nodes), *bare])
