"""Bodies as path graphs: which link is where, counted from the head."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError
from graphwright.core.segment import segment_sum


def find_links(graph: GraphBatch, root: Tensor) -> Tensor:
    """[N] int64: how many links lie between each node and the head of its chain; 0 for the head itself.

    graph: undirected simple graphs. root: [N] bool, the head of each.

    Raises GraphError for a graph that is no path of at least two nodes with the head at one end.
    """
    _require(graph, graph.node_segments.lengths >= 2, "has fewer than 2 nodes, and a swimmer at least 2 links")
    heads = segment_sum(root, graph.node_segments)
    _require(graph, heads == 1, "does not have exactly one head; mark one end of the path in the node column 'root'")
    branches = segment_sum(graph.in_degree > 2, graph.node_segments) > 0
    _require(graph, ~branches, "has a node of more than 2 neighbours; a swimmer is one path")
    inside = segment_sum(root & (graph.in_degree > 1), graph.node_segments) > 0
    _require(graph, ~inside, "has its head inside the path; mark one of the two ends in the node column 'root'")
    source, destination = graph.edge_index
    link = torch.where(root, 0, -1)
    found, distance = root, 0
    while bool(found.any()):
        distance += 1
        found = torch.zeros_like(root)
        found[destination[link[source] == distance - 1]] = True
        found &= link < 0
        link = torch.where(found, distance, link)
    _require(graph, segment_sum(link < 0, graph.node_segments) == 0, "is in pieces; a swimmer is one path")
    return link


def chain_order(graph: GraphBatch) -> Tensor:
    """[N] int64: the rows of the nodes, graph after graph, from head to tail; `graph` has the node column `link`."""
    rows = torch.arange(graph.num_nodes, device=graph.device)
    return torch.empty_like(rows).index_copy(0, graph.node_ptr[:-1][graph.node_graph] + graph.nodes["link"], rows)


def _require(graph: GraphBatch, holds: Tensor, complaint: str) -> None:
    if not bool(holds.all()):
        which = f"graph {int((~holds).nonzero()[0])}" if graph.num_graphs > 1 else "the graph"
        raise GraphError(f"{which} {complaint}")
