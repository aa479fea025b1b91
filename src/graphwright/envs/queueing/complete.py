"""Nodes that all see each other: the queues or the servers of one station."""

from __future__ import annotations

import torch

from graphwright.core import GraphBatch, from_edges
from graphwright.core.pairs import unordered_pair_nodes, unordered_pair_segments


def joined(graph: GraphBatch) -> GraphBatch:
    """The nodes of `graph` with their columns and those of graphs, and an undirected edge between any two of them."""
    pairs = unordered_pair_segments(graph)
    ends = torch.stack(unordered_pair_nodes(pairs.position)) + graph.node_ptr[:-1][pairs.index]
    sizes = graph.node_segments.lengths
    return from_edges(ends, sizes, undirected=True, nodes=graph.nodes, graphs=graph.graphs)
