"""How much of its arrivals a network of servers can serve: a linear programme of shares of time."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.queueing.multiclass.instances import ROUTES, SERVES


def load(instances: GraphBatch) -> Tensor:
    """[B] float64: the least t such that all jobs are served by servers that are busy for a share t of the time."""
    return torch.tensor(
        [_load(instances.select(torch.tensor([each]))) for each in range(instances.num_graphs)], dtype=torch.float64
    )


def flows(instance: GraphBatch) -> Tensor:
    """[N] float64: the jobs of each class a unit of time, those that come from other classes included."""
    source, end = instance.edge_index
    routes = instance.edges["type"] == ROUTES
    matrix = torch.eye(instance.num_nodes, dtype=torch.float64)
    matrix[end[routes], source[routes]] -= instance.edges["chance"][routes]
    return torch.linalg.solve(matrix, instance.nodes["arrival"])


def _load(instance: GraphBatch) -> float:
    """Minimise t over shares x ≥ 0 of service edges: Σ rate · x = flow of each class, Σ x ≤ t of each server."""
    from scipy.optimize import linprog

    rows = (instance.edges["type"] == SERVES).nonzero().squeeze(1)
    server, job = instance.edge_index[:, rows].numpy()
    flow, nodes, count = flows(instance).numpy(), instance.num_nodes, rows.numel()
    served, busy = np.zeros((nodes, count + 1)), np.zeros((nodes, count + 1))
    served[job, np.arange(count)] = instance.edges["service"][rows].numpy()
    busy[server, np.arange(count)] = 1
    busy[:, -1] = -1
    is_server = instance.nodes["server"].numpy()
    cost = np.append(np.zeros(count), 1.0)
    found = linprog(cost, busy[is_server], np.zeros(is_server.sum()), served[~is_server], flow[~is_server])
    return float(found.fun) if found.status == 0 else float("inf")
