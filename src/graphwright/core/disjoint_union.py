"""`DisjointUnion`: the nodes and edges of many graphs side by side, without columns, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from graphwright.core.segment import Segments


@dataclass(frozen=True, eq=False)
class DisjointUnion:
    """B directed graphs as one disjoint union.

    edge_index: [2, E] int64, source and destination of each edge, numbered over the whole union. Edges are grouped by
        graph and, inside a graph, sorted by destination, then source.
    node_ptr, edge_ptr: [B + 1] int64, where the nodes and edges of each graph begin.
    """

    edge_index: Tensor
    node_ptr: Tensor
    edge_ptr: Tensor

    @property
    def num_graphs(self) -> int:
        """B."""
        return self.node_ptr.shape[0] - 1

    @property
    def num_nodes(self) -> int:
        """N, over all graphs."""
        return self.node_segments.num_rows

    @property
    def num_edges(self) -> int:
        """E, over all graphs; an undirected edge counts twice."""
        return self.edge_index.shape[1]

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.edge_index.device

    @cached_property
    def node_segments(self) -> Segments:
        """The nodes of each graph."""
        return Segments(self.node_ptr)

    @cached_property
    def edge_segments(self) -> Segments:
        """The edges of each graph."""
        return Segments(self.edge_ptr)

    @property
    def node_graph(self) -> Tensor:
        """[N] int64: the graph of each node."""
        return self.node_segments.index

    @property
    def edge_graph(self) -> Tensor:
        """[E] int64: the graph of each edge."""
        return self.edge_segments.index

    @cached_property
    def in_degree(self) -> Tensor:
        """[N] int64: how many edges end in each node."""
        return torch.bincount(self.edge_index[1], minlength=self.num_nodes)

    @cached_property
    def in_edges(self) -> Segments:
        """The edges that end in each node, consecutive since edges are sorted by destination (the CSR row pointer)."""
        segments = Segments.from_lengths(self.in_degree)
        segments.__dict__["index"] = destination = self.edge_index[1]
        segments.__dict__["num_rows"] = destination.shape[0]
        return segments

    @cached_property
    def out_edges(self) -> tuple[Tensor, Segments]:
        """The rows of the edges out of each node [E], by rising destination, and each node's share of them (E → N)."""
        order = torch.argsort(self.edge_index[0], stable=True)
        return order, Segments.from_lengths(torch.bincount(self.edge_index[0], minlength=self.num_nodes))
