"""Sets of edges of a labelled graph: a graph on n named nodes is a set of the edges of the complete one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, from_edges, per_edge, per_graph
from graphwright.core.numbers import require_each
from graphwright.core.one_hot import one_hot
from graphwright.core.segment import segment_sum
from graphwright.envs.generative.environment import GenerativeEnvironment
from graphwright.envs.reversible import STOP, Move

PRESENT, OPPOSITE, NAME = "present", "opposite", "name"


@dataclass(frozen=True)
class EdgeSets(GenerativeEnvironment):
    """Adds edges to named nodes, one after the other, until it stops; any edge may be taken back.

    Instance: `complete_graphs`, whose edges are those that there could be. State: the instance with the edge column
    `present` [E] bool, alike in both directions of an undirected edge. A step flips one number; the topology stays.
    Actions: stop, or an edge that is not present. Backward: an edge that is.
    Observation: who each node is, one-hot, and of each edge whether it is present and whether its opposite is.
    """

    num_nodes: int = 4
    """Nodes of every instance."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, for no nodes."""
        require_each(self, "environment", ("num_nodes",))

    @property
    @override
    def features(self) -> Features:
        return Features(nodes={"name": self.num_nodes, "degree": 1}, edges={PRESENT: 2})

    @property
    @override
    def actions(self) -> ActionSpec:
        return ActionSpec(per_graph(STOP), per_edge("join"))

    @property
    @override
    def backward_actions(self) -> ActionSpec:
        return ActionSpec(per_edge("cut"))

    def reset(self, instances: GraphBatch) -> GraphBatch:
        """No edge is present."""
        return instances.with_edges(**{PRESENT: torch.zeros_like(instances.edge_index[0], dtype=torch.bool)})

    @override
    def view(self, state: GraphBatch) -> GraphBatch:
        present = state.edges[PRESENT]
        name = one_hot(state.nodes[NAME], self.num_nodes)
        degree = segment_sum(present, state.in_edges)
        both = torch.stack([present, present.index_select(0, opposite_rows(state))], dim=1)
        return state.with_nodes(name=name, degree=degree).with_edges(**{PRESENT: both})

    @override
    def masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        stop = torch.ones_like(state.node_ptr[1:], dtype=torch.bool)
        return stop, ~state.edges[PRESENT].index_select(0, state.links[0])

    @override
    def backward_masks(self, state: GraphBatch) -> tuple[Tensor, ...]:
        return (state.edges[PRESENT].index_select(0, state.links[0]),)

    @override
    def advance(self, state: GraphBatch, action: Tensor) -> Move:
        link = action - 1  # after stop
        return Move(_with_link(state, link, present=True), link)

    @override
    def undo(self, state: GraphBatch, action: Tensor) -> Move:
        return Move(_with_link(state, action, present=False), action + 1)


def opposite_rows(state: GraphBatch) -> Tensor:
    """[E] int64: the row of each edge's opposite in the batch."""
    own = state.edges["reverse" if "reverse" in state.edges else OPPOSITE]
    return own + state.edge_ptr.index_select(0, state.edge_graph)


def complete_graphs(count: int, num_nodes: int, *, directed: bool) -> GraphBatch:
    """`count` complete graphs without loops, whose nodes have a `name` [N] int64 from 0.

    Directed ones know an edge's opposite by the column `opposite` [E].
    """
    return _complete_graph(num_nodes, directed).select(torch.zeros(count, dtype=torch.int64))


@cache
def _complete_graph(num_nodes: int, directed: bool) -> GraphBatch:
    v, u = torch.tril_indices(num_nodes, num_nodes, -1)
    name = {NAME: torch.arange(num_nodes)}
    one = from_edges(torch.stack([u, v]), torch.tensor([num_nodes]), undirected=True, nodes=name)
    opposite = {OPPOSITE: one.edges["reverse"]}
    return GraphBatch(one.edge_index, one.node_ptr, one.edge_ptr, name, opposite) if directed else one


def _with_link(state: GraphBatch, link: Tensor, *, present: bool) -> GraphBatch:
    """`state` with one link [B] of each graph, or without it."""
    rows, links = state.links
    row = rows.index_select(0, links.ptr[:-1] + link)
    if "reverse" in state.edges:
        row = torch.cat([row, opposite_rows(state).index_select(0, row)])
    return state.with_edges(**{PRESENT: state.edges[PRESENT].index_fill(0, row, present)})
