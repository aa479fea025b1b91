"""Building connected graphs node by node, edge by edge and attribute by attribute, and taking them apart again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Choice, Features, GraphBatch, per_graph
from graphwright.envs.generative.asking import ask
from graphwright.envs.generative.automorphisms import canonical_keys, canonical_places, log_automorphisms
from graphwright.envs.generative.context import TYPE, GraphContext
from graphwright.envs.generative.edits import AddLink, AddNode, Begin, Edit, SetLinkAttribute, SetNodeAttribute
from graphwright.envs.generative.edits.edit import Done
from graphwright.envs.generative.environment import GenerativeEnvironment
from graphwright.envs.reversible import STOP, Move


@dataclass(frozen=True)
class GraphBuilding(GenerativeEnvironment):
    """Undirected connected graphs, as far as a context lets them grow.

    State: the graph, with the columns that `GraphContext` describes; at first without nodes.
    Actions: stop; begin with a node of a type; add a node of a type, joined to a node; join two nodes; set an attribute
    of a node or a link to a value. Backward: each of them, one block for one (`edits`); nothing is removed or cut while
    an attribute of it is set, and no cut leaves two parts.
    """

    alike_both_ways: ClassVar[bool] = True
    """Whether what is set of an undirected edge is the same at both ends."""

    context: GraphContext = field(default_factory=GraphContext)

    @cached_property
    def edits(self) -> tuple[Edit, ...]:
        """The ways to grow."""
        context = self.context
        links = [AddLink(context)] if context.cycles else []
        nodes = [SetNodeAttribute(context, name) for name in context.node_attributes]
        marks = [SetLinkAttribute(context, name) for name in context.edge_attributes]
        return (Begin(context), AddNode(context), *links, *nodes, *marks)

    @property
    @override
    def features(self) -> Features:
        return self.context.features

    @cached_property
    @override
    def actions(self) -> ActionSpec:
        return ActionSpec(per_graph(STOP), *(edit.forward for edit in self.edits))

    @cached_property
    @override
    def backward_actions(self) -> ActionSpec:
        return ActionSpec(*(edit.backward for edit in self.edits))

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """Graphs without nodes; the graph columns of `instances`, such as conditions, stay."""
        nothing = torch.zeros(0, dtype=torch.int64, device=instances.device)
        nodes = dict.fromkeys((TYPE, *self.context.node_attributes), nothing)
        edges = dict.fromkeys(("reverse", *self.context.edge_attributes), nothing)
        return replace(instances, nodes=nodes, edges=edges)

    @override
    def view(self, state: GraphBatch) -> GraphBatch:
        return self.context.observe(state)

    @override
    def masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        may = ask(self.context, "may_stop", {"B": state.num_graphs}, state)
        stop = may & (state.node_segments.lengths > 0)
        return stop, *(edit.mask(state) for edit in self.edits)

    @override
    def backward_masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        return tuple(edit.backward_mask(state) for edit in self.edits)

    def keys(self, state: GraphBatch) -> list[bytes]:
        """The same for isomorphic graphs."""
        return canonical_keys(state, (TYPE, *self.context.node_attributes), tuple(self.context.edge_attributes))

    @override
    def numbering(self, state: GraphBatch) -> Tensor | None:
        return canonical_places(state, (TYPE, *self.context.node_attributes), tuple(self.context.edge_attributes))

    @override
    def log_automorphisms(self, state: GraphBatch) -> Tensor:
        return log_automorphisms(state, (TYPE, *self.context.node_attributes), tuple(self.context.edge_attributes))

    @override
    def advance(self, state: GraphBatch, action: Tensor) -> Move:
        choice = self.actions.locate(state, action)
        edit = choice.block - 1  # after stop

        def apply(state: GraphBatch, place: int, graphs: Tensor) -> Done:
            return self.edits[place].do(state, graphs, choice.row[graphs], choice.column[graphs])

        state, row, column = self._edit(state, edit, apply)
        return Move(state, self.backward_actions.compose(state, Choice(edit, row, column)))

    @override
    def undo(self, state: GraphBatch, action: Tensor) -> Move:
        choice = self.backward_actions.locate(state, action)

        def apply(state: GraphBatch, place: int, graphs: Tensor) -> Done:
            return self.edits[place].take_back(state, graphs, choice.row[graphs])

        state, row, column = self._edit(state, choice.block, apply)
        return Move(state, self.actions.compose(state, Choice(choice.block + 1, row, column)))

    def _edit(
        self, state: GraphBatch, edit: Tensor, apply: Callable[[GraphBatch, int, Tensor], Done]
    ) -> tuple[GraphBatch, Tensor, Tensor]:
        """`state` after edit number `edit` [B] of each graph; row [B] and column [B] of what leads back.

        Graphs that are edited in one way are edited at once.
        """
        row, column = torch.zeros_like(edit), torch.zeros_like(edit)
        for place in range(len(self.edits)):
            graphs = (edit == place).nonzero().squeeze(1)
            if graphs.numel():
                state, row[graphs], column[graphs] = apply(state, place, graphs)
        return state, row, column
