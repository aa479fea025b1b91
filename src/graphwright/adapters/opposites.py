"""Finding, for each edge, the edge that goes the other way."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError
from graphwright.core.segment import lexsort


def with_reverse(graph: GraphBatch, *, required: bool) -> GraphBatch:
    """`graph` with the column `reverse`, if every edge has an opposite of which all columns are the same.

    required: then the columns may differ, and GraphError is raised if some edge has no opposite.
    """
    opposite = _opposite(graph, _kinds(graph))
    if opposite is None and required:
        opposite = _opposite(graph, torch.zeros_like(graph.edge_index[0]))
        if opposite is None:
            raise GraphError("undirected=True, but some edge has no opposite; add it (T.ToUndirected), or pass False")
    if opposite is None:
        return graph
    return graph.with_edges(reverse=opposite - graph.edge_ptr[:-1][graph.edge_graph])


def _opposite(graph: GraphBatch, kind: Tensor) -> Tensor | None:
    """[E] int64: for each edge the row of an opposite edge of the same `kind` [E], both ways; None if one has none.

    Of parallel edges of one kind, the k-th is the opposite of the k-th the other way; a loop is its own.
    """
    source, target = graph.edge_index
    there = lexsort(kind, target * graph.num_nodes + source)
    back = lexsort(kind, source * graph.num_nodes + target)
    fits = graph.edge_index[:, there] == graph.edge_index[:, back].flip(0)
    if not bool(fits.all() & (kind[there] == kind[back]).all()):
        return None
    return torch.empty_like(there).index_copy(0, there, back)


def _kinds(graph: GraphBatch) -> Tensor:
    """[E] int64: the same number for edges whose columns are all the same, bit for bit."""
    columns = [column.detach().reshape(graph.num_edges, -1) for column in graph.edges.values() if column.numel()]
    if not columns:
        return torch.zeros_like(graph.edge_index[0])
    bits = torch.cat([column.contiguous().view(torch.uint8) for column in columns], dim=1).cpu().numpy()
    kind = np.unique(bits.view(f"V{bits.shape[1]}").ravel(), return_inverse=True)[1]
    return torch.from_numpy(kind).to(graph.device)
