"""A Steiner tree by its definition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graphwright.core import GraphBatch
from graphwright.envs.verdict import Answer, Fault, Pieces, Verdict, links_column, links_of, unordered


def verify(instance: GraphBatch, answer: Answer, options: Mapping[str, Any]) -> Verdict:
    """The links are of the network, join all terminals and close no circle; the objective is their length."""
    length = dict(zip(links_of(instance), links_column(instance, "length"), strict=True))
    tree = unordered(answer.links)
    faults = [Fault("the network has no link {} – {}", pair) for pair in tree if pair not in length]
    pieces = Pieces(instance.num_nodes)
    faults += [Fault("{} – {} closes a circle", pair) for pair in tree if not pieces.join(*pair)]
    first, *others = instance.nodes["terminal"].nonzero().squeeze(1).tolist()
    apart = [other for other in others if pieces.of(other) != pieces.of(first)]
    faults += [Fault("nothing joins {} with {}", (first, other)) for other in apart]
    return Verdict(math.fsum(length.get(pair, 0.0) for pair in tree), faults)
