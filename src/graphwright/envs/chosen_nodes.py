"""Rules that choose nodes of undirected graphs one after the other, as kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.kernels.jit import arrays


def chosen_by(kernel: Callable[..., Any], instances: GraphBatch, weight: Tensor) -> Tensor:
    """[N] bool: what `kernel` marks.

    It is given the nodes of each graph [B + 1], the neighbours of each node as CSR ([N + 1], [E]), the weights [N], and
    the marks [N], all false. instances: undirected simple graphs.
    """
    graph = instances.to("cpu")
    selected = torch.zeros(graph.num_nodes, dtype=torch.bool)
    kernel(*arrays(graph.node_ptr, graph.in_edges.ptr, graph.edge_index[0], weight.cpu(), selected))
    return selected.to(instances.device)
