"""Max-product messages: how much of its weight each node keeps when its neighbours state their claims."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.construction import opposite_edges

ROUNDS, _DAMPING = 5, 0.5


def claims(graph: GraphBatch, weight: Tensor, among: Tensor) -> Tensor:
    """What the neighbours of each node would lose if it were chosen, [N] float64: an estimate.

    m_{u→v} = min(w_u − Σ_{k ≠ v} m_{k→u}, w_v) where that is positive, 0 otherwise; the claims on v are Σ_u m_{u→v}. A
    node of greater weight than the claims on it belongs to the best set (Sanghavi, Shah, Willsky 2009, "Message passing
    for maximum weight independent set"), for certain on a tree in the limit of many rounds. Here it is five rounds,
    each the mean of old and new messages: where there are many cycles messages need not settle, and more do worse.

    graph: undirected, with `reverse`. weight: [N] float. among: [E] bool, the edges along which messages go, both
    directions or none.
    """
    rows = among.nonzero().squeeze(1)
    source, destination = graph.edge_index[:, rows]
    place = among.cumsum(0) - 1
    reverse = place[opposite_edges(graph, rows)]
    exact = weight.double()  # in which the order of the nodes does not show in their sums
    message = exact.new_zeros(rows.numel())
    total = torch.zeros_like(exact)
    for _ in range(ROUNDS):
        kept = exact[source] - (total[source] - message[reverse])
        message = _DAMPING * message + (1 - _DAMPING) * torch.minimum(kept, exact[destination]).clamp(min=0)
        total = torch.zeros_like(exact).index_add(0, destination, message)
    return total
