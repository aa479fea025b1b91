"""AddNode and RemoveNode."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionBlock, GraphBatch, per_graph, per_node, with_links
from graphwright.envs.generative.asking import ask
from graphwright.envs.generative.context import TYPE, GraphContext
from graphwright.envs.generative.edits.edit import Done, Edit
from graphwright.envs.generative.surgery import append_nodes, keep_nodes


@dataclass(frozen=True)
class Begin(Edit):
    """The first node of a graph, of a type; taken back where it is the only one and no attribute of it is set."""

    context: GraphContext

    @property
    def forward(self) -> ActionBlock:
        """A row a graph, a column a type."""
        return per_graph("begin", self.context.node_types)

    @property
    def backward(self) -> ActionBlock:
        """A row a graph."""
        return per_graph("end")

    @override
    def mask(self, state: GraphBatch) -> Tensor:
        empty = state.node_segments.lengths == 0
        may = ask(self.context, "may_begin", {"B": state.num_graphs, "node_types": self.context.node_types}, state)
        return (may & empty.unsqueeze(1)).view(state.num_graphs, *_columns(self.context))

    @override
    def backward_mask(self, state: GraphBatch) -> Tensor:
        alone = state.node_segments.lengths == 1
        first = state.node_ptr[:-1][alone]
        mask = alone.clone()
        mask[alone] = self.context.is_bare_node(state)[first]
        return mask

    @override
    def do(self, state: GraphBatch, graphs: Tensor, row: Tensor, column: Tensor) -> Done:
        return Done(_append(self.context, state, graphs, column), torch.zeros_like(row))

    @override
    def take_back(self, state: GraphBatch, graphs: Tensor, row: Tensor) -> Done:
        node = state.node_ptr[graphs]
        return Done(_without(state, node), torch.zeros_like(row), state.nodes[TYPE][node])


@dataclass(frozen=True)
class AddNode(Edit):
    """One more node, of a type, joined to a node; taken back where one edge holds it and no attribute is set."""

    context: GraphContext

    @property
    def forward(self) -> ActionBlock:
        """A row a node that the new one is joined to, a column a type."""
        return per_node("add", self.context.node_types)

    @property
    def backward(self) -> ActionBlock:
        """A row a node."""
        return per_node("remove")

    @override
    def mask(self, state: GraphBatch) -> Tensor:
        room = (state.node_segments.lengths < self.context.max_nodes) & self.context.has_room_for_link(state)
        may = ask(self.context, "may_add", {"N": state.num_nodes, "node_types": self.context.node_types}, state)
        mask = may & room[state.node_graph].unsqueeze(1)
        return mask.view(state.num_nodes, *_columns(self.context))

    @override
    def backward_mask(self, state: GraphBatch) -> Tensor:
        bare = self.context.is_bare_node(state) & (state.in_degree == 1)
        rows = state.links[0]
        marked = state.edge_index[:, rows[~self.context.is_bare_link(state)]]
        bare[marked.flatten()] = False
        return bare

    @override
    def do(self, state: GraphBatch, graphs: Tensor, row: Tensor, column: Tensor) -> Done:
        last = state.node_segments.lengths[graphs]
        state = _append(self.context, state, graphs, column)
        start = state.node_ptr[graphs]
        unset = dict.fromkeys(self.context.edge_attributes, torch.zeros_like(row))
        return Done(with_links(state, torch.stack([start + row, start + last]), unset), last)

    @override
    def take_back(self, state: GraphBatch, graphs: Tensor, row: Tensor) -> Done:
        node = state.node_ptr[graphs] + row
        holder = state.edge_index[0, state.in_edges.ptr[node]] - state.node_ptr[graphs]
        return Done(_without(state, node), holder - (holder > row).long(), state.nodes[TYPE][node])


def _append(context: GraphContext, state: GraphBatch, graphs: Tensor, types: Tensor) -> GraphBatch:
    chosen = torch.zeros(state.num_graphs, dtype=torch.bool, device=state.device).index_fill(0, graphs, True)
    return append_nodes(state, chosen, {TYPE: types, **dict.fromkeys(context.node_attributes, torch.zeros_like(types))})


def _without(state: GraphBatch, nodes: Tensor) -> GraphBatch:
    return keep_nodes(state, torch.ones_like(state.node_graph, dtype=torch.bool).index_fill(0, nodes, False))


def _columns(context: GraphContext) -> tuple[int, ...]:
    """The shape of a row of a mask over types."""
    return () if context.node_types == 1 else (context.node_types,)
