"""How much of their arrivals links that disturb each other can send: a linear programme of shares of time."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError
from graphwright.core.segment import segment_max
from graphwright.envs.queueing.conflict_graph.weighted_set import heaviest_set
from graphwright.envs.queueing.count_laws import BERNOULLI, FIXED
from graphwright.envs.queueing.shares import service_ratios, shares

_ROUNDS = 100
_ENOUGH = 1e-6


def load(instances: GraphBatch) -> Tensor:
    """[B] float64: the time that sets of links without conflicts, taking turns, need for what arrives in a slot.

    Where capacities change, links send when they are best, and what counts is the largest share of a link alone, or of
    two that disturb each other against the better of both in slots that are drawn. Both are bounds: from 1 on, nothing
    is stable.
    """
    share = shares(instances)
    alone = segment_max(share, instances.node_segments)
    least = torch.maximum(alone, _pairs(instances, share))
    for graph in _is_fixed(instances).nonzero().squeeze(1).tolist():
        one = instances.select(torch.tensor([graph]))
        least[graph] = max(float(least[graph]), _turns(one, shares(one)))
    return least


def _is_fixed(instances: GraphBatch) -> Tensor:
    """[B] bool: where every slot gives a link the same."""
    law, service = instances.graphs["law"][instances.node_graph], instances.nodes["service"]
    changes = ~((law == FIXED) | ((law == BERNOULLI) & ((service == 0) | (service == 1))))
    return segment_max(changes.double(), instances.node_segments) == 0


def _pairs(instances: GraphBatch, share: Tensor) -> Tensor:
    """[B] float64: the largest share of two links that disturb each other, against the better of both."""
    if not instances.num_edges:
        return torch.zeros(instances.num_graphs, dtype=torch.float64)
    source, end = instances.edge_index
    best = torch.zeros(instances.num_edges, dtype=torch.float64)
    for ratio, part in service_ratios(instances):
        best += torch.maximum(ratio[source], ratio[end]) * part
    return segment_max((share[source] + share[end]) / best.clamp(min=1e-300), instances.edge_segments)


def _turns(instance: GraphBatch, share: Tensor) -> float:
    """Minimise Σ x over shares of time x ≥ 0 of independent sets S with Σ x_S ≥ share of each link, which S holds.

    Sets are found when they are needed, as the heaviest by the prices of links (Gilmore & Gomory 1961). Any prices give
    a bound, what they make of all shares over their heaviest set; the best is returned.
    """
    from scipy.optimize import linprog

    wanted = share.numpy()
    if not np.isfinite(wanted).all() or not wanted.any():
        return 0.0
    sets, bound = np.eye(len(wanted)), 0.0
    for _ in range(_ROUNDS):
        found = linprog(np.ones(sets.shape[1]), -sets, -wanted)
        if found.status != 0:
            break
        price = torch.from_numpy(-np.asarray(found.ineqlin.marginals)).clamp(min=0)
        try:
            heaviest = heaviest_set(instance, price)
        except GraphError:  # too wide to be found
            break
        weight = float(price[heaviest].sum())
        bound = max(bound, float(price @ share) / max(weight, 1.0))
        if weight <= 1 + _ENOUGH:
            break
        sets = np.column_stack([sets, heaviest.numpy()])
    return bound
