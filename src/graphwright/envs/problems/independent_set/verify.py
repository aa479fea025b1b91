"""An independent set by its definition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from graphwright.core import GraphBatch
from graphwright.envs.verdict import Answer, Fault, Verdict, links_of, twice


def verify(instance: GraphBatch, answer: Answer, options: Mapping[str, Any]) -> Verdict:
    """No link joins two of the nodes; the objective is their weight."""
    nodes, weight = answer.nodes, instance.nodes["weight"].tolist()
    return Verdict(math.fsum(weight[node] for node in set(nodes)), [*twice(nodes), *joined(instance, nodes)])


def joined(instance: GraphBatch, nodes: Sequence[int]) -> list[Fault]:
    """A fault for each link between two of `nodes`."""
    chosen = set(nodes)
    return [Fault("a link joins {} and {}", pair) for pair in links_of(instance) if chosen.issuperset(pair)]
