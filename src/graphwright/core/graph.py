"""`GraphBatch`: a table of graphs. Everything in the library that is a graph is one of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from graphwright.core.disjoint_union import DisjointUnion
from graphwright.core.graph_rules import GraphError, check_batch
from graphwright.core.kernels.selection import select_graphs
from graphwright.core.segment import Segments

Columns = Mapping[str, Tensor]
_TABLES = ("nodes", "edges", "graphs")
_OF_COLUMNS = ("acting_nodes", "acting_links")
"""What is computed once of a batch but depends on its columns; all else depends on its topology alone."""
ACTS = "acts"
"""Node or edge column, bool: who decides."""


@dataclass(frozen=True, eq=False)
class GraphBatch(DisjointUnion):
    """B directed graphs as one disjoint union: a table of graphs, of nodes and of edges.

    edge_index, node_ptr, edge_ptr: as of `DisjointUnion`.
    nodes: name -> [N, ...], columns over all nodes, grouped by graph.
    edges: name -> [E, ...], columns over all edges, in the order of `edge_index`.
    graphs: name -> [B, ...], one row a graph.

    An undirected graph holds both directions of each edge and a column `reverse` [E] int64: the place of the opposite
    edge inside the same graph (a self-loop is its own reverse). Columns that refer to nodes or edges count from the
    beginning of their own graph, so that moving a graph to another batch never rewrites them.
    """

    nodes: Columns = field(default_factory=dict)
    edges: Columns = field(default_factory=dict)
    graphs: Columns = field(default_factory=dict)

    @staticmethod
    def trusted(
        edge_index: Tensor,
        node_segments: Segments,
        edge_segments: Segments,
        *,
        nodes: Columns | None = None,
        edges: Columns | None = None,
        graphs: Columns | None = None,
        in_degree: Tensor | None = None,
    ) -> GraphBatch:
        """A batch from what its caller has computed: groups and, if given, `in_degree` [N]. Nothing is checked."""
        batch = GraphBatch(edge_index, node_segments.ptr, edge_segments.ptr, nodes or {}, edges or {}, graphs or {})
        batch.__dict__["node_segments"], batch.__dict__["edge_segments"] = node_segments, edge_segments
        if in_degree is not None:
            batch.__dict__["in_degree"] = in_degree
        return batch

    @cached_property
    def links(self) -> tuple[Tensor, Segments]:
        """One edge row for each undirected edge (each edge, if the graph is directed) [L], and each graph's share."""
        if "reverse" not in self.edges:
            destination = self.edge_index[1]
            return torch.arange(destination.shape[0], device=destination.device), self.edge_segments
        rows = (self.edge_segments.position <= self.edges["reverse"]).nonzero().squeeze(1)
        count = torch.bincount(self.edge_graph[rows], minlength=self.num_graphs)
        return rows, Segments.from_lengths(count)

    @cached_property
    def acting_nodes(self) -> tuple[Tensor, Segments]:
        """The nodes whose column `acts` is true, or all where there is none [D], and each graph's share of them."""
        if ACTS not in self.nodes:
            return torch.arange(self.num_nodes, device=self.device), self.node_segments
        return _chosen(self.nodes[ACTS], self.node_segments)

    @cached_property
    def acting_links(self) -> tuple[Tensor, Segments]:
        """The places in `links` whose edge column `acts` is true, or all where there is none [D], likewise."""
        rows, links = self.links
        if ACTS not in self.edges:
            return torch.arange(rows.numel(), device=self.device), links
        return _chosen(self.edges[ACTS][rows], links)

    def select(self, index: Tensor) -> GraphBatch:
        """The graphs at `index` [S] int64 (any order, repeats allowed), or where `index` [B] bool is true."""
        if index.dtype == torch.bool:
            index = index.nonzero().squeeze(1)
        node_ptr, node_rows, node_graph, edge_ptr, edge_rows, edge_graph, edge_index = select_graphs(
            self.node_ptr, self.edge_ptr, self.edge_index, index
        )
        return GraphBatch.trusted(
            edge_index,
            Segments.known(node_ptr, node_graph),
            Segments.known(edge_ptr, edge_graph),
            nodes={name: column.index_select(0, node_rows) for name, column in self.nodes.items()},
            edges={name: column.index_select(0, edge_rows) for name, column in self.edges.items()},
            graphs={name: column[index] for name, column in self.graphs.items()},
            in_degree=self.in_degree.index_select(0, node_rows),
        )

    @staticmethod
    def concat(batches: Sequence[GraphBatch]) -> GraphBatch:
        """All graphs of `batches`, in order. Raises GraphError where their columns differ or there is none."""
        if not batches:
            raise GraphError("concat needs at least one GraphBatch; use `batch.select` with an empty index for none")
        if len(batches) == 1:
            return batches[0]
        node_offset = _offsets([batch.num_nodes for batch in batches])
        edge_offset = _offsets([batch.num_edges for batch in batches])
        joined = GraphBatch(
            edge_index=torch.cat([b.edge_index + n for b, n in zip(batches, node_offset, strict=False)], dim=1),
            node_ptr=_concat_ptr([b.node_ptr for b in batches], node_offset),
            edge_ptr=_concat_ptr([b.edge_ptr for b in batches], edge_offset),
            nodes=_concat_columns("node", [b.nodes for b in batches]),
            edges=_concat_columns("edge", [b.edges for b in batches]),
            graphs=_concat_columns("graph", [b.graphs for b in batches]),
        )
        joined.__dict__["in_degree"] = torch.cat([b.in_degree for b in batches])
        return joined

    def replace(self, index: Tensor, other: GraphBatch) -> GraphBatch:
        """This batch with the graphs at `index` [S] int64, all different, exchanged for those of `other` (S graphs)."""
        if index.numel() != other.num_graphs:
            raise GraphError(f"replace: {index.numel()} places for {other.num_graphs} graphs; give one place a graph")
        order = torch.arange(self.num_graphs, device=self.device)
        order[index] = self.num_graphs + torch.arange(other.num_graphs, device=self.device)
        return GraphBatch.concat([self, other]).select(order)

    @property
    def num_bytes(self) -> int:
        """Of edges and columns."""
        columns = [column for table in (self.nodes, self.edges, self.graphs) for column in table.values()]
        return sum(tensor.nbytes for tensor in (self.edge_index, *columns))

    def with_nodes(self, **columns: Tensor) -> GraphBatch:
        """This batch with node columns [N, ...] added or exchanged."""
        return self._with(nodes={**self.nodes, **columns})

    def with_edges(self, **columns: Tensor) -> GraphBatch:
        """This batch with edge columns [E, ...] added or exchanged."""
        return self._with(edges={**self.edges, **columns})

    def with_graphs(self, **columns: Tensor) -> GraphBatch:
        """This batch with graph columns [B, ...] added or exchanged."""
        return self._with(graphs={**self.graphs, **columns})

    def keep(self, nodes: Sequence[str] = (), edges: Sequence[str] = (), graphs: Sequence[str] = ()) -> GraphBatch:
        """This batch with the named columns only (`reverse` stays). Raises GraphError for one that there is not."""
        stay = [*edges, *(["reverse"] if "reverse" in self.edges and "reverse" not in edges else [])]
        return self._with(
            nodes=_named("node", self.nodes, nodes),
            edges=_named("edge", self.edges, stay),
            graphs=_named("graph", self.graphs, graphs),
        )

    def filter_edges(self, mask: Tensor) -> GraphBatch:
        """This batch with only the edges where `mask` [E] bool is true; `reverse`, which may lose its partner, goes."""
        rows = mask.nonzero().squeeze(1)
        edge_index = self.edge_index.index_select(1, rows)
        edge_ptr = torch.searchsorted(rows, self.edge_ptr)
        kept = {name: column[rows] for name, column in self.edges.items() if name != "reverse"}
        filtered = replace(self, edge_index=edge_index, edge_ptr=edge_ptr, edges=kept)
        filtered.__dict__["node_segments"] = self.node_segments
        return filtered

    def to(self, device: torch.device | str) -> GraphBatch:
        """This batch on another device."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=True))

    def to_tensors(self) -> dict[str, Tensor]:
        """All of it as one flat dictionary: "node_ptr", ..., and "nodes.NAME", "edges.NAME", "graphs.NAME"."""
        flat = {"edge_index": self.edge_index, "node_ptr": self.node_ptr, "edge_ptr": self.edge_ptr}
        for table in _TABLES:
            flat |= {f"{table}.{name}": column for name, column in getattr(self, table).items()}
        return flat

    @staticmethod
    def from_tensors(flat: Mapping[str, Tensor]) -> GraphBatch:
        """The batch that `to_tensors` took apart. Raises GraphError where something is missing or wrong."""
        columns: dict[str, dict[str, Tensor]] = {table: {} for table in _TABLES}
        for key, tensor in flat.items():
            table, _, name = key.partition(".")
            if table in columns:
                columns[table][name] = tensor
        try:
            batch = GraphBatch(flat["edge_index"], flat["node_ptr"], flat["edge_ptr"], **columns)
        except KeyError as missing:
            raise GraphError(f"a graph batch needs {missing.args[0]!r}") from None
        batch.validate()
        return batch

    def _with(self, **tables: Columns) -> GraphBatch:
        changed = object.__new__(GraphBatch)
        known = changed.__dict__
        known |= {**self.__dict__, **tables}
        for name in _OF_COLUMNS:
            if name in known:
                del known[name]
        return changed

    def _map(self, change: Callable[[Tensor], Tensor]) -> GraphBatch:
        return GraphBatch(
            edge_index=change(self.edge_index),
            node_ptr=change(self.node_ptr),
            edge_ptr=change(self.edge_ptr),
            nodes={name: change(column) for name, column in self.nodes.items()},
            edges={name: change(column) for name, column in self.edges.items()},
            graphs={name: change(column) for name, column in self.graphs.items()},
        )

    def validate(self) -> None:
        """Raise GraphError, naming the column and the graph, unless every rule of the class docstring holds."""
        check_batch(self)


def _named(table: str, columns: Columns, names: Sequence[str]) -> Columns:
    try:
        return {name: columns[name] for name in names}
    except KeyError as missing:
        raise GraphError(f"the graph has no {table} column {missing.args[0]!r}; give it one") from None


def _chosen(mask: Tensor, segments: Segments) -> tuple[Tensor, Segments]:
    """The rows where `mask` [M] is true, and how many of them each group has."""
    rows = mask.nonzero().squeeze(1)
    return rows, Segments(torch.searchsorted(rows, segments.ptr))


def _offsets(sizes: Sequence[int]) -> list[int]:
    offsets = [0]
    for size in sizes:
        offsets.append(offsets[-1] + size)
    return offsets


def _concat_ptr(ptrs: Sequence[Tensor], offsets: Sequence[int]) -> Tensor:
    heads = [ptr[:-1] + offset for ptr, offset in zip(ptrs, offsets, strict=False)]
    return torch.cat([*heads, ptrs[-1][-1:] + offsets[len(ptrs) - 1]])


def _concat_columns(table: str, parts: Sequence[Columns]) -> dict[str, Tensor]:
    names = parts[0].keys()
    for part in parts[1:]:
        if part.keys() != names:
            odd = sorted(set(names) ^ set(part))
            raise GraphError(f"concat: {table} column {odd[0]!r} is missing from some of the batches; add or drop it")
    return {name: torch.cat([part[name] for part in parts]) for name in names}
