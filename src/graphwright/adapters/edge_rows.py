"""Back to a user's own order of edges, which sorting, joining and dropping have changed."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Segments
from graphwright.core.graph_rules import check_end_points
from graphwright.core.segment import inverse


def edge_rows(graph: GraphBatch, edge_index: Tensor) -> Tensor:
    """[L] int64: the row in `graph` of each edge of `edge_index` [2, L]; -1 for none. Both count nodes alike.

    So `graph.edges["chosen"][rows]` is a column in the order of `edge_index` where no row is -1. The k-th of parallel
    edges is the k-th in `graph`; where that has merged them, all are its last. Raises GraphError for other nodes.
    """
    edge_index = edge_index.as_subclass(Tensor).long()
    check_end_points(edge_index, Segments(torch.tensor([0, graph.num_nodes], device=graph.device)))
    there, wanted = (ends[1] * graph.num_nodes + ends[0] for ends in (graph.edge_index, edge_index))
    ordered, order = wanted.sort(stable=True)
    rank = inverse(order) - torch.searchsorted(ordered, wanted)
    first, end = torch.searchsorted(there, wanted), torch.searchsorted(there, wanted, right=True)
    return torch.where(end > first, torch.minimum(first + rank, end - 1), -1)
