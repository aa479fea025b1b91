"""A batch of graphs whose sizes are those of tensors alone, so that a compiler of tensor programs can follow it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from graphwright.core.graph import GraphBatch
from graphwright.core.segment import Segments


def plain_batch(
    edge_index: Tensor,
    node_graph: Tensor,
    edge_graph: Tensor,
    graphs: Tensor,
    links: Tensor,
    *,
    tables: Mapping[str, Mapping[str, Tensor]],
) -> GraphBatch:
    """The batch of these, with all that it caches computed in operations whose sizes are those of their arguments.

    edge_index: [2, E]. node_graph, edge_graph: [N], [E] int64, the graph of each row, rising. graphs: [B], whose length
    alone counts. links: [2, L] int64, the edge rows of both directions of each undirected edge; a directed edge and a
    loop have one row, twice. tables: columns of nodes, edges, graphs.
    """
    num_nodes, num_graphs = node_graph.shape[0], graphs.shape[0]
    in_degree = _count(edge_index[1], num_nodes)
    edges = _groups(edge_graph, num_graphs)
    opposite = torch.empty_like(edge_graph)
    opposite[links[0]], opposite[links[1]] = links[1], links[0]
    batch = GraphBatch.trusted(
        edge_index,
        _groups(node_graph, num_graphs),
        edges,
        nodes=tables["nodes"],
        edges={**tables["edges"], "reverse": opposite - edges.ptr[:-1][edge_graph]},
        graphs=tables["graphs"],
        in_degree=in_degree,
    )
    batch.__dict__["in_edges"] = _groups(edge_index[1], num_nodes)
    batch.__dict__["links"] = links[0], _groups(edge_graph[links[0]], num_graphs)
    return batch


def _groups(index: Tensor, number: Any) -> Segments:
    """The segments of rows whose groups are `index` [M], rising."""
    lengths = _count(index, number)
    segments = Segments(torch.cat([lengths.new_zeros(1), lengths.cumsum(0)]))
    segments.__dict__.update(lengths=lengths, index=index, num_rows=index.shape[0])
    return segments


def _count(index: Tensor, number: Any) -> Tensor:
    return index.new_zeros(number).index_add(0, index, torch.ones_like(index))
