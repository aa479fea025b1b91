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
from graphwright.core.kernels.runs import spread_runs, strip_runs, to_own_ends
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
        arrays["edge_index"] = to_own_ends(graph.edge_index, graph.edge_ptr, graph.node_ptr, torch.int64)
        if self.has_reverse and "reverse" in graph.edges:
            arrays["reverse"] = graph.edges["reverse"]
        arrays["num_nodes"] = graph.node_segments.lengths[:, None]
        arrays["num_edges"] = graph.edge_segments.lengths[:, None]
        arrays["num_actions"] = self.actions.graph_segments(graph).lengths[:, None]
        arrays["action_mask"] = self.actions.arrange(graph, observation.masks)
        return arrays

    def count_actions(self, arrays: Mapping[str, Tensor]) -> Tensor:
        """[B, 1] int64: the candidates of each graph of packed arrays, without reading "num_actions"."""
        return self.actions.graph_segments(self._graph(arrays, {})).lengths[:, None]

    def unpack(self, arrays: Mapping[str, Tensor]) -> Observation:
        """The observation of packed arrays. Raises GraphError, naming the key, for one that does not fit."""
        return self._observation(arrays, {})

    def unpad(self, padded: Mapping[str, Tensor]) -> Observation:
        """The observation of padded arrays [B, ...]: `unpack(strip(padded))`, of which each count is read once."""
        return self._observation(*_stripped(padded))

    def _observation(self, arrays: Mapping[str, Tensor], rows: Mapping[str, Segments]) -> Observation:
        """The observation of packed arrays. rows: those of each graph, by the key of their counts, as far as known."""
        graph = self._graph(arrays, rows)
        mask, candidates = arrays["action_mask"].bool(), self.actions.graph_segments(graph)
        if mask.numel() != candidates.num_rows:
            raise GraphError(f"action_mask has {mask.numel()} values, the graphs have {candidates.num_rows} candidates")
        if "num_actions" in arrays and not torch.equal(arrays["num_actions"].reshape(-1).long(), candidates.lengths):
            raise GraphError("num_actions is not how many candidates each graph has; see `Schema.count_actions`")
        return Observation(graph, self.actions.divide(graph, mask))

    def _graph(self, arrays: Mapping[str, Tensor], rows: Mapping[str, Segments]) -> GraphBatch:
        """The graphs of packed arrays, which are checked; edges in another order are sorted. rows: as above."""
        nodes, edges = (rows.get(name) or checked_segments(arrays, name) for name in ("num_nodes", "num_edges"))
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
    room = {"num_nodes": limits.nodes, "num_edges": limits.edges, "num_actions": limits.actions}
    rows = {name: segments_of(arrays[name]) for name in room if name in arrays}
    padded = dict(arrays)
    for key, counted in COUNTED_BY.items():
        if key in arrays:
            try:
                padded[key] = spread(arrays[key], rows[counted], room[counted], 0)
            except IndexError:
                most = int(arrays[counted].max())
                raise GraphError(f"{key}: a graph has {most} rows, there is room for {room[counted]}") from None
    return padded


def strip(padded: Mapping[str, Tensor]) -> Arrays:
    """Padded arrays [B, ...] without their padding, packed."""
    return _stripped(padded)[0]


def _stripped(padded: Mapping[str, Tensor]) -> tuple[Arrays, dict[str, Segments]]:
    """`strip`, and the rows of each graph by the key of their counts, where there is room for as many as these say."""
    packed, rows = dict(padded), {}
    for counted in ("num_nodes", "num_edges", "num_actions"):
        keys = [key for key, count in COUNTED_BY.items() if count == counted and key in padded]
        rooms = {padded[key].shape[1] for key in keys}
        for most in rooms:
            counts = padded[counted].reshape(-1).long()
            own = Segments.from_lengths(counts.clamp(0, most))
            if len(rooms) == 1 and torch.equal(own.lengths, counts):
                rows[counted] = own
            for key in keys:
                if padded[key].shape[1] == most:
                    packed[key] = strip_runs(padded[key], own.ptr, own.num_rows)
    return packed, rows


def single(arrays: Mapping[str, Tensor]) -> list[Arrays]:
    """The packed arrays of each graph of packed arrays, whose memory they share."""
    lengths = {key: arrays[counted].reshape(-1).tolist() for key, counted in COUNTED_BY.items() if key in arrays}
    parts = [values.split(lengths.get(key, 1)) for key, values in arrays.items()]
    return [dict(zip(arrays, graph, strict=True)) for graph in zip(*parts, strict=True)]


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
