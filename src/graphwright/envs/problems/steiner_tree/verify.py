"""A Steiner tree by its definition."""

from __future__ import annotations

import math
from collections.abc import Sequence

from graphwright.core import GraphBatch
from graphwright.envs.verdict import Fault, Pair, Pieces, Verdict, links_column, links_of, unordered


def verify(instance: GraphBatch, nodes: Sequence[int], links: Sequence[Pair]) -> Verdict:
    """`links` of the network join all terminals and close no circle; the objective is their length."""
    length = dict(zip(links_of(instance), links_column(instance, "length"), strict=True))
    tree = unordered(links)
    faults = [Fault("the network has no link {} – {}", pair) for pair in tree if pair not in length]
    pieces = Pieces(instance.num_nodes)
    faults += [Fault("{} – {} closes a circle", pair) for pair in tree if not pieces.join(*pair)]
    first, *others = instance.nodes["terminal"].nonzero().squeeze(1).tolist()
    apart = [other for other in others if pieces.of(other) != pieces.of(first)]
    faults += [Fault("nothing joins {} with {}", (first, other)) for other in apart]
    return Verdict(math.fsum(length.get(pair, 0.0) for pair in tree), faults)
