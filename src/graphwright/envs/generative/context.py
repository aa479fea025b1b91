"""Contexts: what the graphs of a domain are made of, how far they may grow, and what a network sees of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from graphwright.core import Features, GraphBatch
from graphwright.core.numbers import require, require_each
from graphwright.core.one_hot import one_hot

TYPE = "type"


@dataclass(frozen=True)
class GraphContext:
    """Connected graphs of typed nodes, with attributes that are set once a node or an edge is there.

    This one allows every graph within its bounds. A domain overrides the `may_` methods; whatever it forbids must stay
    forbidden when the object grows, or else `may_clear_node` and `may_clear_link` must forbid taking back what was
    needed. Nodes and links can always be taken out, so every connected part of a legal graph must be legal.
    In a state, nodes have the column `type` and one for each node attribute, edges one for each edge attribute, all
    int64; an attribute is 0 where it is not set, otherwise 1 to its number of values.
    """

    node_types: int = 1
    """Types of nodes."""
    max_nodes: int = 7
    """Nodes of the largest graph."""
    max_links: int | None = None
    """Undirected edges of the largest graph, any number if it is not given."""
    cycles: bool = True
    """Whether edges may join nodes that are connected already; otherwise all graphs are trees."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the option, where no graph is within the bounds."""
        self.require_bounds()

    def require_bounds(self) -> None:
        """Raise ValueError, naming option or attribute, where no graph is within the bounds."""
        require_each(self, "environment.context", ("node_types", "max_nodes"))
        require("environment.context.max-links", self.max_links or 0, 0)
        for kind, taken in (("node_attributes", (TYPE, "size", "degree")), ("edge_attributes", ("reverse",))):
            for name, count in getattr(self, kind).items():
                attribute = f"{type(self).__name__}.{kind}: {name!r}"
                if name in taken:
                    raise ValueError(f"{attribute} is a column that the environment adds itself; call it otherwise")
                if type(count) is not int or count < 1:
                    raise ValueError(f"{attribute} has {count!r} values; give a whole number from 1")

    @property
    def node_attributes(self) -> Mapping[str, int]:
        """Name → how many values it can take."""
        return {}

    @property
    def edge_attributes(self) -> Mapping[str, int]:
        """Name → how many values it can take."""
        return {}

    @property
    def features(self) -> Features:
        """The columns of `observe` that a network reads."""
        nodes = {"size": 1, "degree": 1, **{name: count + 1 for name, count in self.node_attributes.items()}}
        edges = {name: count + 1 for name, count in self.edge_attributes.items()}
        return Features(nodes=nodes, edges=edges, node_types=self.node_types)

    def observe(self, state: GraphBatch) -> GraphBatch:
        """`state` with the size of the graph, the degree of a node, and attributes as one-hot."""
        size = state.node_segments.lengths[state.node_graph] / self.max_nodes
        nodes = {name: one_hot(state.nodes[name], count + 1) for name, count in self.node_attributes.items()}
        edges = {name: one_hot(state.edges[name], count + 1) for name, count in self.edge_attributes.items()}
        return state.with_nodes(size=size, degree=state.in_degree / 4, **nodes).with_edges(**edges)

    def may_stop(self, state: GraphBatch) -> Tensor:
        """[B] bool: which graphs may be finished."""
        return state.node_segments.lengths > 0

    def may_begin(self, state: GraphBatch) -> Tensor:
        """[B, node_types] bool: types of the first node; asked of graphs without nodes only."""
        return torch.ones(state.num_graphs, self.node_types, dtype=torch.bool, device=state.device)

    def may_add(self, state: GraphBatch) -> Tensor:
        """[N, node_types] bool: types of a new node, joined to each node; asked below `max_nodes` only."""
        return torch.ones(state.num_nodes, self.node_types, dtype=torch.bool, device=state.device)

    def may_join(self, state: GraphBatch, one: Tensor, other: Tensor) -> Tensor:
        """[P] bool: whether an edge may join nodes `one` and `other` [P], numbered over the union, not joined yet."""
        return torch.ones_like(one, dtype=torch.bool)

    def may_set_node(self, state: GraphBatch, name: str) -> Tensor:
        """[N, values] bool: values for an attribute of nodes that is not set."""
        return torch.ones(state.num_nodes, self.node_attributes[name], dtype=torch.bool, device=state.device)

    def may_set_link(self, state: GraphBatch, name: str) -> Tensor:
        """[L, values] bool: values for an attribute of links that is not set."""
        rows = state.links[0].numel()
        return torch.ones(rows, self.edge_attributes[name], dtype=torch.bool, device=state.device)

    def may_clear_link(self, state: GraphBatch, name: str) -> Tensor:
        """[L] bool: whether an attribute of a link that is set may be taken back."""
        return torch.ones_like(state.links[0], dtype=torch.bool)

    def may_clear_node(self, state: GraphBatch, name: str) -> Tensor:
        """[N] bool: whether an attribute that is set may be taken back."""
        return torch.ones(state.num_nodes, dtype=torch.bool, device=state.device)

    # ---- what the edits ask, whatever the domain --------------------------------------------------------------------

    def has_room_for_link(self, state: GraphBatch) -> Tensor:
        """[B] bool: whether one more link stays within `max_links`."""
        links = state.links[1].lengths
        return links < self.max_links if self.max_links is not None else torch.ones_like(links, dtype=torch.bool)

    def is_bare_node(self, state: GraphBatch) -> Tensor:
        """[N] bool: no attribute of the node is set."""
        bare = torch.ones_like(state.node_graph, dtype=torch.bool)
        for name in self.node_attributes:
            bare &= state.nodes[name] == 0
        return bare

    def is_bare_link(self, state: GraphBatch) -> Tensor:
        """[L] bool: no attribute of the link is set."""
        rows = state.links[0]
        bare = torch.ones_like(rows, dtype=torch.bool)
        for name in self.edge_attributes:
            bare &= state.edges[name][rows] == 0
        return bare
