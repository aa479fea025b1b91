"""SetNodeAttr and RemoveNodeAttr, SetEdgeAttr and RemoveEdgeAttr."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionBlock, GraphBatch, per_edge, per_node
from graphwright.core.construction import opposite_edges
from graphwright.envs.generative.asking import ask
from graphwright.envs.generative.context import GraphContext
from graphwright.envs.generative.edits.edit import Done, Edit


@dataclass(frozen=True)
class SetNodeAttribute(Edit):
    """An attribute of a node that is not set gets a value; taken back where the context lets it go."""

    context: GraphContext
    name: str

    @property
    def forward(self) -> ActionBlock:
        """A row a node, a column a value."""
        return per_node(f"set {self.name}", self.context.node_attributes[self.name])

    @property
    def backward(self) -> ActionBlock:
        """A row a node."""
        return per_node(f"clear {self.name}")

    @override
    def mask(self, state: GraphBatch) -> Tensor:
        sizes = {"N": state.num_nodes, "values": self.context.node_attributes[self.name]}
        may = ask(self.context, "may_set_node", sizes, state, self.name)
        mask = may & (state.nodes[self.name] == 0).unsqueeze(1)
        return mask.squeeze(1) if mask.shape[1] == 1 else mask

    @override
    def backward_mask(self, state: GraphBatch) -> Tensor:
        may = ask(self.context, "may_clear_node", {"N": state.num_nodes}, state, self.name)
        return (state.nodes[self.name] > 0) & may

    @override
    def do(self, state: GraphBatch, graphs: Tensor, row: Tensor, column: Tensor) -> Done:
        return Done(self._write(state, state.node_ptr[graphs] + row, column + 1), row)

    @override
    def take_back(self, state: GraphBatch, graphs: Tensor, row: Tensor) -> Done:
        node = state.node_ptr[graphs] + row
        return Done(self._write(state, node, torch.zeros_like(row)), row, state.nodes[self.name][node] - 1)

    def _write(self, state: GraphBatch, node: Tensor, value: Tensor) -> GraphBatch:
        return state.with_nodes(**{self.name: state.nodes[self.name].index_copy(0, node, value)})


@dataclass(frozen=True)
class SetLinkAttribute(Edit):
    """An attribute of an undirected edge that is not set gets a value; taken back where the context lets it go."""

    context: GraphContext
    name: str

    @property
    def forward(self) -> ActionBlock:
        """A row a link, a column a value."""
        return per_edge(f"set {self.name}", self.context.edge_attributes[self.name])

    @property
    def backward(self) -> ActionBlock:
        """A row a link."""
        return per_edge(f"clear {self.name}")

    @override
    def mask(self, state: GraphBatch) -> Tensor:
        unset = state.edges[self.name][state.links[0]] == 0
        sizes = {"L": unset.numel(), "values": self.context.edge_attributes[self.name]}
        mask = ask(self.context, "may_set_link", sizes, state, self.name) & unset.unsqueeze(1)
        return mask.squeeze(1) if mask.shape[1] == 1 else mask

    @override
    def backward_mask(self, state: GraphBatch) -> Tensor:
        is_set = state.edges[self.name][state.links[0]] > 0
        return is_set & ask(self.context, "may_clear_link", {"L": is_set.numel()}, state, self.name)

    @override
    def do(self, state: GraphBatch, graphs: Tensor, row: Tensor, column: Tensor) -> Done:
        return Done(self._write(state, graphs, row, column + 1)[0], row)

    @override
    def take_back(self, state: GraphBatch, graphs: Tensor, row: Tensor) -> Done:
        cleared, before = self._write(state, graphs, row, torch.zeros_like(row))
        return Done(cleared, row, before - 1)

    def _write(self, state: GraphBatch, graphs: Tensor, row: Tensor, value: Tensor) -> tuple[GraphBatch, Tensor]:
        """`state` with a value [S] for both directions of a link of each of `graphs`, and what was there before."""
        rows, links = state.links
        edge = rows[links.ptr[graphs] + row]
        opposite = opposite_edges(state, edge)
        column = state.edges[self.name]
        written = column.index_copy(0, torch.cat([edge, opposite]), torch.cat([value, value]))
        return state.with_edges(**{self.name: written}), column[edge]
