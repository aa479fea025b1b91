"""The edit of fragment building: a fragment more, with the points at which it is joined."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionBlock, GraphBatch, per_node, with_links
from graphwright.envs.generative.context import TYPE
from graphwright.envs.generative.edits import Edit
from graphwright.envs.generative.edits.edit import Done
from graphwright.envs.generative.molecules.fragments import POINT, FragmentContext
from graphwright.envs.generative.surgery import append_nodes, keep_nodes


@dataclass(frozen=True)
class AttachFragment(Edit):
    """One more fragment, both points of the new bond chosen at once; taken back where one bond holds it."""

    context: FragmentContext

    @property
    def forward(self) -> ActionBlock:
        """A row the fragment that the new one is joined to, a column its point × a stem (`FragmentContext.stems`)."""
        return per_node("attach", self.context.max_points * self.context.stems.shape[1])

    @property
    def backward(self) -> ActionBlock:
        """A row a fragment."""
        return per_node("detach")

    @override
    def mask(self, state: GraphBatch) -> Tensor:
        room = (state.node_segments.lengths < self.context.max_nodes)[state.node_graph]
        free = self.context.free_points(state) & room.unsqueeze(1)
        stems = self.context.stems.shape[1]
        mask = free.unsqueeze(2).expand(-1, -1, stems).reshape(state.num_nodes, free.shape[1] * stems)
        return mask.squeeze(1) if mask.shape[1] == 1 else mask

    @override
    def backward_mask(self, state: GraphBatch) -> Tensor:
        return state.in_degree == 1

    @override
    def do(self, state: GraphBatch, graphs: Tensor, row: Tensor, column: Tensor) -> Done:
        stems = self.context.stems.to(state.device)
        kind, own = stems[:, column % stems.shape[1]]
        point = column // stems.shape[1]
        last = state.node_segments.lengths[graphs]
        chosen = torch.zeros(state.num_graphs, dtype=torch.bool, device=state.device).index_fill(0, graphs, True)
        state = append_nodes(state, chosen, {TYPE: kind})
        start = state.node_ptr[graphs]
        state = with_links(state, torch.stack([start + row, start + last]), {POINT: point + 1})
        # The new node is the last of its graph, and so is the one edge that ends in it; only the way back needs `own`.
        back = state.edges["reverse"][state.edge_ptr[graphs + 1] - 1] + state.edge_ptr[graphs]
        return Done(state.with_edges(**{POINT: state.edges[POINT].index_copy(0, back, own + 1)}), last)

    @override
    def take_back(self, state: GraphBatch, graphs: Tensor, row: Tensor) -> Done:
        node = state.node_ptr[graphs] + row
        edge = state.in_edges.ptr[node]
        back = state.edges["reverse"][edge] + state.edge_ptr[graphs]
        point, own = state.edges[POINT][edge] - 1, state.edges[POINT][back] - 1
        holder = state.edge_index[0, edge] - state.node_ptr[graphs]
        first = (self.context.num_points.cumsum(0) - self.context.num_points).to(state.device)
        column = point * self.context.stems.shape[1] + first[state.nodes[TYPE][node]] + own
        kept = torch.ones_like(state.node_graph, dtype=torch.bool).index_fill(0, node, False)
        return Done(keep_nodes(state, kept), holder - (holder > row).long(), column)
