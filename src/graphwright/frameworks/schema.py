"""`Schema`: an observation as a dictionary of plain arrays, packed or padded, and back, without loops.

| key | packed | padded | |
|---|---|---|---|
| nodes | [N, F] float32 | [B, n, F] | node columns side by side, then the type, then `acts` where nodes decide |
| edges | [E, D] float32 | [B, e, D] | edge columns side by side, then the type, then `acts` where edges decide |
| edge_index | [E, 2] int64 | [B, e, 2] | source and destination, counted from 0 in each graph; see below |
| reverse | [E] int64 | [B, e] | the row of the opposite edge, where actions are tied to undirected edges |
| graphs | [B, G] float32 | [B, G] | graph columns, then `at` |
| num_nodes, num_edges, num_actions | [B, 1] int64 | [B, 1] | |
| action_mask | [K] bool | [B, k] | candidates in their order; of continuous actions, the decisions |

Keys without columns are left out. Edges are packed by destination, then source, and read in any order, except where
actions are tied to edges. n, e, k are the `Limits`; padding is 0 and False, and an action keeps its number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from graphwright.core import ActionSpec, Features, GraphBatch, GraphError, Observation, Segments
from graphwright.core.graph import ACTS
from graphwright.core.kernels.runs import gather_runs, spread_runs
from graphwright.core.rows import AT
from graphwright.frameworks.checks import check_finite, check_range, checked_edges, checked_reverse, checked_segments
from graphwright.nn.columns import as_matrix

Arrays = dict[str, Tensor]
COUNTED_BY = {
    **{"nodes": "num_nodes", "edges": "num_edges", "edge_index": "num_edges", "reverse": "num_edges"},
    "action_mask": "num_actions",
}
_TYPE = "type"


@dataclass(frozen=True)
class Limits:
    """The sizes to which graphs are padded: the most nodes, edges and candidates of a graph.

    growth: how many of the edges are reserved for those that an episode adds. decisions, choices: the most decisions of
    a graph, and the most candidates of one of them. undirected: whether each edge has its opposite, which is then said
    where actions are tied to edges.
    """

    nodes: int
    edges: int
    actions: int
    growth: int = 0
    decisions: int = 1
    choices: int = 1
    undirected: bool = True


@dataclass(frozen=True)
class Schema:
    """The columns that a network reads, in its order, and their places in the arrays."""

    features: Features
    actions: ActionSpec

    @cached_property
    def widths(self) -> dict[str, int]:
        """F, D and G under "nodes", "edges" and "graphs"."""
        return {table: sum(columns.values()) for table, columns in self._columns.items()}

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The keys of the arrays; `reverse` is absent where the graphs are directed."""
        tables = [table for table, width in self.widths.items() if width]
        reverse = ["reverse"] if self.has_reverse else []
        return (*tables, "edge_index", *reverse, "num_nodes", "num_edges", "num_actions", "action_mask")

    @cached_property
    def has_reverse(self) -> bool:
        """Whether actions are tied to edges, so that opposite directions must be known."""
        return self.actions.decider.once or any(block.rows.once for block in self.actions.blocks)

    @cached_property
    def _columns(self) -> dict[str, dict[str, int]]:
        features = self.features
        tied = {table: {name: 1} for table, name in self.actions.columns.items()}
        return {
            "nodes": {**features.nodes, **({_TYPE: 1} if features.node_types else {}), **tied.get("nodes", {})},
            "edges": {**features.edges, **({_TYPE: 1} if features.edge_types else {}), **tied.get("edges", {})},
            "graphs": {**features.graphs, **tied.get("graphs", {})},
        }

    def pack(self, observation: Observation) -> Arrays:
        """The arrays of an observation, graphs one after the other."""
        graph = observation.graph
        arrays: Arrays = {}
        for table, columns in self._columns.items():
            if columns:
                values = _with_acts(graph, table) if ACTS in columns else getattr(graph, table)
                arrays[table] = torch.cat([as_matrix(values[name]) for name in columns], dim=1)
        arrays["edge_index"] = (graph.edge_index - graph.node_ptr[:-1][graph.edge_graph]).t()
        if self.has_reverse and "reverse" in graph.edges:
            arrays["reverse"] = graph.edges["reverse"]
        arrays["num_nodes"] = graph.node_segments.lengths[:, None]
        arrays["num_edges"] = graph.edge_segments.lengths[:, None]
        arrays["num_actions"] = self.actions.graph_segments(graph).lengths[:, None]
        arrays["action_mask"] = self.actions.arrange(graph, observation.masks)
        return arrays

    def count_actions(self, arrays: Mapping[str, Tensor]) -> Tensor:
        """[B, 1] int64: the candidates of each graph of packed arrays, without reading "num_actions"."""
        return self.actions.graph_segments(self._graph(arrays)).lengths[:, None]

    def unpack(self, arrays: Mapping[str, Tensor]) -> Observation:
        """The observation of packed arrays. Raises GraphError, naming the key, for one that does not fit."""
        graph = self._graph(arrays)
        mask, candidates = arrays["action_mask"].bool(), self.actions.graph_segments(graph)
        if mask.numel() != candidates.num_rows:
            raise GraphError(f"action_mask has {mask.numel()} values, the graphs have {candidates.num_rows} candidates")
        if "num_actions" in arrays and not torch.equal(segments_of(arrays["num_actions"]).lengths, candidates.lengths):
            raise GraphError("num_actions is not how many candidates each graph has; see `Schema.count_actions`")
        return Observation(graph, self.actions.divide(graph, mask))

    def _graph(self, arrays: Mapping[str, Tensor]) -> GraphBatch:
        """The graphs of packed arrays, which are checked; edges in another order are sorted."""
        nodes, edges = (checked_segments(arrays, name) for name in ("num_nodes", "num_edges"))
        own_nodes, own_edges, graphs = (self._split(table, arrays) for table in ("nodes", "edges", "graphs"))
        edge_index, order = checked_edges(arrays["edge_index"], nodes, edges)
        if order is not None:
            if self.has_reverse:
                raise GraphError(
                    "edge_index is not sorted by destination, then source, and actions are tied to edges; "
                    "sort the edges, and their columns and actions with them"
                )
            own_edges = {name: column[order] for name, column in own_edges.items()}
        if self.has_reverse and "reverse" in arrays:
            own_edges["reverse"] = checked_reverse(arrays["reverse"], edge_index, edges)
        return GraphBatch.trusted(edge_index, nodes, edges, nodes=own_nodes, edges=own_edges, graphs=graphs)

    def _split(self, table: str, arrays: Mapping[str, Tensor]) -> dict[str, Tensor]:
        columns = self._columns[table]
        if not columns:
            return {}
        if table not in arrays or arrays[table].shape[-1] != sum(columns.values()):
            shape = list(arrays[table].shape) if table in arrays else "missing"
            raise GraphError(f"{table} is {shape}; expected {sum(columns.values())} columns: {', '.join(columns)}")
        parts = arrays[table].split(list(columns.values()), dim=1)
        split = dict(zip(columns, parts, strict=True))
        check_finite(table, arrays[table], split)
        types = {"nodes": self.features.node_types, "edges": self.features.edge_types}
        for name in split.keys() & {_TYPE, AT}:
            split[name] = split[name].squeeze(1).long()
            most = types[table] if name == _TYPE else arrays["num_nodes"].flatten().clamp(min=1)
            check_range(f"{table}: column {name!r}", split[name], most)
        if ACTS in split:
            split[ACTS] = split[ACTS].squeeze(1) > 0
        return split


def _with_acts(graph: GraphBatch, table: str) -> Mapping[str, Tensor]:
    """The columns of a table, with `acts` for everything where there is none."""
    columns: Mapping[str, Tensor] = getattr(graph, table)
    count = graph.num_nodes if table == "nodes" else graph.num_edges
    return {ACTS: torch.ones(count, dtype=torch.bool, device=graph.device), **columns}


def pad(arrays: Mapping[str, Tensor], limits: Limits) -> Arrays:
    """Packed arrays with each graph filled up to `limits`. Raises GraphError for a graph that exceeds them."""
    sizes = {"num_nodes": limits.nodes, "num_edges": limits.edges, "num_actions": limits.actions}
    rows = {name: segments_of(arrays[name]) for name in sizes if name in arrays}
    most = {name: int(arrays[name].max()) if len(arrays[name]) else 0 for name in rows}
    padded = dict(arrays)
    for key, counted in COUNTED_BY.items():
        if key in arrays:
            if most[counted] > sizes[counted]:
                raise GraphError(f"{key}: a graph has {most[counted]} rows, there is room for {sizes[counted]}")
            padded[key] = spread(arrays[key], rows[counted], sizes[counted], 0)
    return padded


def strip(padded: Mapping[str, Tensor]) -> Arrays:
    """Padded arrays [B, ...] without their padding, packed."""
    packed, known = dict(padded), {}
    for key, counted in COUNTED_BY.items():
        if key in padded:
            rows, most = padded[key], padded[key].shape[1]
            if (counted, most) not in known:
                known[counted, most] = segments_of(padded[counted].clamp(0, most))
            own = known[counted, most]
            start = torch.arange(len(rows), device=rows.device) * most
            packed[key] = gather_runs(rows.flatten(0, 1), start, own.ptr, own.num_rows)
    return packed


def segments_of(counts: Tensor) -> Segments:
    """The rows of each graph, from how many it has, [B, 1] of any number type."""
    return Segments.from_lengths(counts.reshape(-1).long())


def concat(parts: Sequence[Mapping[str, Tensor]]) -> Arrays:
    """Packed arrays of several batches as those of one."""
    return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}


def select(arrays: Mapping[str, Tensor], rows: Tensor) -> Arrays:
    """Packed arrays of the graphs at `rows` [S] int64."""
    gathered = {counted: segments_of(arrays[counted]).select(rows)[1] for counted in set(COUNTED_BY.values())}
    return {key: values[gathered[COUNTED_BY[key]] if key in COUNTED_BY else rows] for key, values in arrays.items()}


def spread(values: Tensor, segments: Segments, width: int, fill: float) -> Tensor:
    """[B, width, ...]: the values [M, ...] of each graph in a row of its own, then `fill`."""
    return spread_runs(values, segments.ptr, width, fill)
