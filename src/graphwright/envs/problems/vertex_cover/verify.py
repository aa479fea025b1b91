"""A vertex cover by its definition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graphwright.core import GraphBatch
from graphwright.envs.verdict import Answer, Fault, Verdict, links_of, twice


def verify(instance: GraphBatch, answer: Answer, options: Mapping[str, Any]) -> Verdict:
    """Every link has an end among the nodes; the objective is their weight."""
    chosen, weight = set(answer.nodes), instance.nodes["weight"].tolist()
    bare = [Fault("nothing covers the link {} – {}", pair) for pair in links_of(instance) if not chosen & set(pair)]
    return Verdict(math.fsum(weight[node] for node in chosen), [*twice(answer.nodes), *bare])
