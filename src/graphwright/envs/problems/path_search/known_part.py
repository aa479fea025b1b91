"""What an agent sees that knows no more of a graph than the surroundings of some nodes."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch


def known_part(graph: GraphBatch, centres: Tensor) -> GraphBatch:
    """The nodes where `centres` [N] bool is true with their neighbours, and the edges that touch them; nothing else.

    graph: undirected, with the graph column `at` [B] int64, a centre, which counts anew in the result. Nodes stay in
        their order and keep their columns. Edges lose theirs.
    """
    source, destination = graph.edge_index
    touching = centres[source] | centres[destination]
    edge_index = graph.edge_index[:, touching]
    kept = centres.clone()
    kept[edge_index[1]] = True
    before, edges_before = _before(kept), _before(touching)
    node_ptr = before[graph.node_ptr]
    return GraphBatch(
        edge_index=before[edge_index],
        node_ptr=node_ptr,
        edge_ptr=edges_before[graph.edge_ptr],
        nodes={name: column[kept] for name, column in graph.nodes.items()},
        graphs={**graph.graphs, "at": before[graph.node_ptr[:-1] + graph.graphs["at"]] - node_ptr[:-1]},
    )


def _before(mask: Tensor) -> Tensor:
    """[M + 1] int64: how many of `mask` [M] are true before each place."""
    before = torch.zeros(mask.numel() + 1, dtype=torch.int64, device=mask.device)
    torch.cumsum(mask, 0, out=before[1:])
    return before
