"""AddEdge and RemoveEdge, for undirected edges between nodes that are there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import (
    ActionBlock,
    GraphBatch,
    per_edge,
    per_unordered_pair,
    unordered_pair_nodes,
    unordered_pair_row,
    unordered_pair_segments,
    with_links,
)
from graphwright.core.construction import opposite_edges
from graphwright.envs.generative.asking import ask
from graphwright.envs.generative.bridges import find_bridges
from graphwright.envs.generative.context import GraphContext
from graphwright.envs.generative.edits.edit import Done, Edit
from graphwright.envs.generative.surgery import keep_edges


@dataclass(frozen=True)
class AddLink(Edit):
    """Two nodes are joined; taken back where the graph stays connected and no attribute of the link is set."""

    context: GraphContext

    @property
    def forward(self) -> ActionBlock:
        """A row an unordered pair of nodes."""
        return per_unordered_pair("join")

    @property
    def backward(self) -> ActionBlock:
        """A row a link."""
        return per_edge("cut")

    @override
    def mask(self, state: GraphBatch) -> Tensor:
        pairs, rows = unordered_pair_segments(state), state.links[0]
        may = self.context.has_room_for_link(state)[pairs.index]
        one, other = state.edge_index[:, rows] - state.node_ptr[:-1][state.edge_graph[rows]]
        may[pairs.ptr[:-1][state.edge_graph[rows]] + unordered_pair_row(one, other)] = False
        apart = may.nonzero().squeeze(1)
        u, v = unordered_pair_nodes(pairs.position[apart])
        start = state.node_ptr[:-1][pairs.index[apart]]
        may[apart] = ask(self.context, "may_join", {"P": apart.numel()}, state, start + u, start + v)
        return may

    @override
    def backward_mask(self, state: GraphBatch) -> Tensor:
        return self.context.is_bare_link(state) & ~find_bridges(state)[state.links[0]]

    @override
    def do(self, state: GraphBatch, graphs: Tensor, row: Tensor, column: Tensor) -> Done:
        u, v = unordered_pair_nodes(row)
        start = state.node_ptr[graphs]
        unset = dict.fromkeys(self.context.edge_attributes, torch.zeros_like(row))
        state = with_links(state, torch.stack([start + u, start + v]), unset)
        rows, links = state.links
        edit = torch.searchsorted(graphs, links.index).clamp_(max=row.numel() - 1)
        ends = torch.stack([start + u, start + v])[:, edit]
        # Of the two directions a link's row is the first by destination: that from the later node to the earlier.
        found = (state.edge_index[:, rows].flip(0) == ends).all(0)
        return Done(state, links.position[found])

    @override
    def take_back(self, state: GraphBatch, graphs: Tensor, row: Tensor) -> Done:
        rows, links = state.links
        edge = rows[links.ptr[graphs] + row]
        u, v = state.edge_index[:, edge] - state.node_ptr[graphs]
        opposite = opposite_edges(state, edge)
        kept = torch.ones_like(state.edge_graph, dtype=torch.bool)
        kept[edge] = kept[opposite] = False
        return Done(keep_edges(state, kept), unordered_pair_row(u, v))
