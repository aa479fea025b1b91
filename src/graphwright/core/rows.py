"""Row kinds: what candidates are tied to. Everything that depends on the kind is asked of these objects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core.graph import GraphBatch
from graphwright.core.pairs import pair_segments, unordered_pair_segments
from graphwright.core.segment import Segments

AT = "at"
"""Graph column [B] int64: the node on which the agent stands, counted inside its graph."""

Table = Literal["nodes", "edges", "graphs"]
Columns = Mapping[Table, str]


class Sizes(NamedTuple):
    """The most that a graph has. links: edges, an undirected one counted once; degree: edges out of a node."""

    nodes: int
    links: int
    degree: int


class RowKind(ABC):
    """A kind of rows that each graph, or each decision of a graph, has.

    label: what one row is, with its article. table: the table of a `GraphBatch` in which a column can hold one value
    for each row; None where there is none. once: whether an undirected edge is one row, so that the opposites of edges
    must be known. offered_to: the names of the kinds of deciders whose candidates these rows can be.

    Two objects of one class are equal.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    table: ClassVar[Table | None] = None
    once: ClassVar[bool] = False
    offered_to: ClassVar[tuple[str, ...]] = ("graphs",)

    @abstractmethod
    def segments(self, graph: GraphBatch, deciders: Tensor | None = None) -> Segments:
        """The rows of each graph; with `deciders` [D] int64, which are rows of a decider's kind, of each of those."""

    @abstractmethod
    def most(self, sizes: Sizes, decider: RowKind | None = None) -> int:
        """How many rows a graph of these sizes has at most; with `decider`, over all decisions of that kind."""

    def places(self, graph: GraphBatch, deciders: Tensor | None = None) -> Tensor:
        """[rows] int64: where each row stands in `table`."""
        return torch.arange(self.segments(graph, deciders).num_rows, device=graph.device)

    def deciders(self, graph: GraphBatch) -> tuple[Tensor, Segments]:
        """The rows [D] int64 that decide, and each graph's share of them (D → B)."""
        raise TypeError(f"{self.name} decide nothing; give nodes, edges or graphs")

    def columns(self, decider: RowKind) -> Columns:
        """The columns of the observed graph, by table, that say which rows there are."""
        return {}


@dataclass(frozen=True)
class Nodes(RowKind):
    """Every node; of deciders, those whose column `acts` is true."""

    name = "nodes"
    label = "a node"
    table = "nodes"

    @override
    def segments(self, graph: GraphBatch, deciders: Tensor | None = None) -> Segments:
        return graph.node_segments

    @override
    def most(self, sizes: Sizes, decider: RowKind | None = None) -> int:
        return sizes.nodes

    @override
    def deciders(self, graph: GraphBatch) -> tuple[Tensor, Segments]:
        return graph.acting_nodes


@dataclass(frozen=True)
class Neighbours(RowKind):
    """The edges out of the node that decides, or on which the agent stands, by rising destination."""

    name = "neighbours"
    label = "a neighbour"
    table = "edges"
    offered_to = ("graphs", "nodes")

    @override
    def segments(self, graph: GraphBatch, deciders: Tensor | None = None) -> Segments:
        if deciders is None:
            return out_edges(graph)[1]
        return graph.out_edges[1].select(deciders)[0]

    @override
    def most(self, sizes: Sizes, decider: RowKind | None = None) -> int:
        return sizes.degree if decider in (None, GRAPHS) else 2 * sizes.links

    @override
    def places(self, graph: GraphBatch, deciders: Tensor | None = None) -> Tensor:
        if deciders is None:
            return out_edges(graph)[0]
        rows, nodes = graph.out_edges
        return rows[nodes.select(deciders)[1]]

    @override
    def columns(self, decider: RowKind) -> Columns:
        return {"graphs": AT} if decider == GRAPHS else {}


@dataclass(frozen=True)
class Edges(RowKind):
    """Every edge, an undirected one once (`GraphBatch.links`); of deciders, those whose column `acts` is true."""

    name = "edges"
    label = "an edge"
    table = "edges"
    once = True

    @override
    def segments(self, graph: GraphBatch, deciders: Tensor | None = None) -> Segments:
        return graph.links[1]

    @override
    def most(self, sizes: Sizes, decider: RowKind | None = None) -> int:
        return sizes.links

    @override
    def places(self, graph: GraphBatch, deciders: Tensor | None = None) -> Tensor:
        return graph.links[0]

    @override
    def deciders(self, graph: GraphBatch) -> tuple[Tensor, Segments]:
        return graph.acting_links


@dataclass(frozen=True)
class Pairs(RowKind):
    """Ordered pairs (u, v) of a graph's n nodes, joined or not: n² rows, (u, v) at u · n + v."""

    name = "pairs"
    label = "a pair of nodes"

    @override
    def segments(self, graph: GraphBatch, deciders: Tensor | None = None) -> Segments:
        return pair_segments(graph)

    @override
    def most(self, sizes: Sizes, decider: RowKind | None = None) -> int:
        return sizes.nodes**2


@dataclass(frozen=True)
class UnorderedPairs(RowKind):
    """Unordered pairs u < v of a graph's nodes, at v · (v - 1) / 2 + u."""

    name = "unordered-pairs"
    label = "two nodes"

    @override
    def segments(self, graph: GraphBatch, deciders: Tensor | None = None) -> Segments:
        return unordered_pair_segments(graph)

    @override
    def most(self, sizes: Sizes, decider: RowKind | None = None) -> int:
        return sizes.nodes * (sizes.nodes - 1) // 2


@dataclass(frozen=True)
class Graphs(RowKind):
    """The graph itself."""

    name = "graphs"
    label = "a graph"
    table = "graphs"

    @override
    def segments(self, graph: GraphBatch, deciders: Tensor | None = None) -> Segments:
        ptr = graph.node_ptr  # as many, and where it is
        return Segments(torch.arange(ptr.shape[0], device=ptr.device))

    @override
    def most(self, sizes: Sizes, decider: RowKind | None = None) -> int:
        return 1

    @override
    def deciders(self, graph: GraphBatch) -> tuple[Tensor, Segments]:
        every = torch.arange(graph.num_graphs + 1, device=graph.device)
        return every[:-1], Segments(every)


@dataclass(frozen=True)
class Deciders(RowKind):
    """The node or the edge that decides: one row for each decision."""

    name = "deciders"
    label = "a decision"
    offered_to = ("nodes", "edges")

    @override
    def segments(self, graph: GraphBatch, deciders: Tensor | None = None) -> Segments:
        assert deciders is not None
        return Segments(torch.arange(deciders.numel() + 1, device=graph.device))

    @override
    def most(self, sizes: Sizes, decider: RowKind | None = None) -> int:
        return 1 if decider is None else decider.most(sizes)

    @override
    def places(self, graph: GraphBatch, deciders: Tensor | None = None) -> Tensor:
        assert deciders is not None
        return deciders


NODES, NEIGHBOURS, EDGES, PAIRS, UNORDERED_PAIRS, GRAPHS, DECIDERS = (
    Nodes(),
    Neighbours(),
    Edges(),
    Pairs(),
    UnorderedPairs(),
    Graphs(),
    Deciders(),
)
ROW_KINDS: dict[str, RowKind] = {
    kind.name: kind for kind in (NODES, NEIGHBOURS, EDGES, PAIRS, UNORDERED_PAIRS, GRAPHS, DECIDERS)
}


def out_edges(graph: GraphBatch) -> tuple[Tensor, Segments]:
    """The rows of the edges out of each graph's node `at`, by rising destination, and each graph's share of them."""
    at = graph.node_ptr[:-1] + graph.graphs[AT]
    rows = (graph.edge_index[0] == at[graph.edge_graph]).nonzero().squeeze(1)
    return rows, Segments.from_lengths(torch.bincount(graph.edge_graph[rows], minlength=graph.num_graphs))
