"""How much of its arrivals a multi-hop network can carry: a linear programme of flows."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.queueing.multi_hop.layers import link_groups


def load(instances: GraphBatch) -> Tensor:
    """[B] float64: the least t such that flows of all arrivals fit into links of t times their rate."""
    return torch.tensor(
        [_load(instances.select(torch.tensor([each]))) for each in range(instances.num_graphs)], dtype=torch.float64
    )


def _load(instance: GraphBatch) -> float:
    """Minimise t over flows f ≥ 0 of each edge: Σ_k f ≤ t · rate on each link, and what comes and arrives goes."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_array, hstack, vstack

    edges, nodes = instance.num_edges, instance.num_nodes
    source, end = instance.edge_index.numpy()
    order, links = link_groups(instance)
    used = (links.lengths > 0).numpy()
    rows = np.arange(edges)
    link = np.empty(edges, dtype=np.int64)
    link[order.numpy()] = links.index.numpy()
    rate = np.zeros(links.num_groups)
    rate[link] = instance.edges["rate"].numpy()
    on_links = coo_array((np.ones(edges), (link, rows)), shape=(links.num_groups, edges))
    upper = hstack([on_links, coo_array(-rate[:, None])]).tocsr()[used]
    out = coo_array((np.ones(edges), (source, rows)), shape=(nodes, edges))
    into = coo_array((np.ones(edges), (end, rows)), shape=(nodes, edges))
    passes = (~instance.nodes["destination"]).numpy()
    balance = hstack([out - into, coo_array((nodes, 1))]).tocsr()[passes]
    cost = np.append(np.zeros(edges), 1.0)
    arrival = instance.nodes["arrival"].numpy()[passes]
    found = linprog(cost, upper, np.zeros(int(used.sum())), vstack([balance]), arrival, bounds=(0, None))
    return float(found.fun) if found.status == 0 else float("inf")
