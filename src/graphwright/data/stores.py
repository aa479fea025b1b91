"""Where the states of a replay are kept: as whole graphs, or as what changes of each, their instances once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core import GraphBatch
from graphwright.data.graph_rows import graph_to_rows, rows_to_graph
from graphwright.data.ring import Group, RaggedRing, Rows
from graphwright.data.tables import Columns, Memory, Table

_REFERENCES = "references"
_INSTANCE = "instance"
_SCANNED = 256
_CHECKED = 4096


class ReferencedRing(RaggedRing):
    """A ring that counts what refers to each row; rows older than the first one that is referred to are dropped."""

    @override
    def add(self, rows: Rows) -> Tensor:
        references = torch.zeros(rows.num_rows, dtype=torch.int32, device=rows.device)
        return super().add(Rows(rows.num_rows, {**rows.columns, _REFERENCES: references}, rows.groups))

    @override
    def select(self, ids: Tensor) -> Rows:
        rows = super().select(ids)
        columns = {name: column for name, column in rows.columns.items() if name != _REFERENCES}
        return Rows(rows.num_rows, columns, rows.groups)

    def refer(self, ids: Tensor) -> None:
        """Something refers to each row of `ids` [S] int64, repeats counted."""
        self._require_live(ids)
        self._count(ids, 1)

    def release(self, ids: Tensor) -> Tensor:
        """It refers to them no more; the ids [D] of the rows that are dropped for it."""
        self._count(ids, -1)
        first, end = self.first, self.end
        while first < end:
            scanned = torch.arange(first, min(first + _SCANNED, end), device=self.rows.device)
            found = self.get(_REFERENCES, scanned).nonzero()
            if found.numel():
                dropped = torch.arange(self.first, first + int(found[0]), device=self.rows.device)
                self.drop(first + int(found[0]))
                return dropped
            first += _SCANNED
        return self.ids[:0]  # nothing refers to any row yet; something may be about to

    def require_references(self, ids: Tensor) -> None:
        """Raise ValueError unless what refers to the rows are `ids` [M] int64; IndexError where they are not live."""
        self._require_live(ids)
        counted = torch.bincount(ids - self.first, minlength=len(self))
        if len(self) and not torch.equal(counted, self.get(_REFERENCES, self.ids).long()):
            raise ValueError("what is stored is referred to by others than those that it counts")

    @property
    def referenced(self) -> Tensor:
        """[R] int64: the ids that something refers to."""
        ids = self.ids
        return ids[self.get(_REFERENCES, ids) > 0]

    def _count(self, ids: Tensor, one: int) -> None:
        column = self.rows.columns[_REFERENCES]
        column.index_add_(0, self.rows.places(ids), torch.full_like(ids, one, dtype=torch.int32))


class StateStore(ABC):
    """States by number (id), in `ring`, each kept as long as something refers to it or to an older one."""

    ring: ReferencedRing

    def __init__(self, memory: Memory) -> None:
        self.ring = ReferencedRing(memory)

    @abstractmethod
    def add(self, states: Any, *, instances: GraphBatch | None = None, after: Tensor | None = None) -> Tensor:
        """Store `states` of fresh `instances` [B], or that steps from the states `after` [B] led to; their ids [B]."""

    @abstractmethod
    def select(self, ids: Tensor) -> Any:
        """The states of `ids` [S] int64, as they were added."""

    def select_steps(self, before: Tensor, after: Tensor) -> tuple[Any, Any]:
        """The states of the ids `before` [S] and of the ids `after` [S], to which steps led from them."""
        return self.select(before), self.select(after)

    def refer(self, ids: Tensor) -> None:
        """Something refers to the states of `ids` [S]."""
        self.ring.refer(ids)

    def release(self, ids: Tensor) -> None:
        """It refers to them no more."""
        self.ring.release(ids)

    def state_dict(self) -> dict[str, Tensor]:
        """All that is stored."""
        return {f"states.{key}": value for key, value in self.ring.state_dict().items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Hold what `state_dict` returned. Raises ValueError where it is not whole; see `require_whole`."""
        self.ring.load_state_dict(_below("states.", state))

    def require_whole(self, referred: Tensor) -> None:
        """Raise ValueError or IndexError unless what is stored are states, to which the ids `referred` [M] refer."""
        self.ring.require_references(referred)


class WholeGraphs(StateStore):
    """Each state, or observation, with all of its nodes, edges and columns: for environments that edit their graphs."""

    @override
    def add(self, states: GraphBatch, *, instances: GraphBatch | None = None, after: Tensor | None = None) -> Tensor:
        return self.ring.add(graph_to_rows(states))

    @override
    def select(self, ids: Tensor) -> GraphBatch:
        return rows_to_graph(self.ring.select(ids))

    @override
    def require_whole(self, referred: Tensor) -> None:
        super().require_whole(referred)
        _require_graphs(self.ring)


class InstancesOnce(StateStore):
    """Instances once, and of each state only the columns that `reset` added.

    An instance to which no state refers is dropped with the oldest ones; where a younger one goes before them, at
    the latest when half of those that are stored are such.
    """

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory)
        self.instances = ReferencedRing(memory)

    @override
    def add(self, states: GraphBatch, *, instances: GraphBatch | None = None, after: Tensor | None = None) -> Tensor:
        """`states` [B] of fresh `instances` [B], or of the instances that the states of the ids `after` [B] have."""
        if instances is not None:
            self._compact(instances.num_graphs)
            instance = self.instances.add(graph_to_rows(instances))
            self.instances.refer(instance)
        elif after is not None:
            instance = self.ring.get(_INSTANCE, after)
            self.instances.refer(instance)  # they stay, whatever gives way to these states
        else:
            raise ValueError("states need `instances` or the states that they come `after`; give one of them")
        return self.ring.add(self._changing(states, instance))

    @override
    def select(self, ids: Tensor) -> GraphBatch:
        changing = self.ring.select(ids)
        return _with_columns(rows_to_graph(self.instances.select(changing.columns[_INSTANCE])), changing)

    @override
    def select_steps(self, before: Tensor, after: Tensor) -> tuple[GraphBatch, GraphBatch]:
        """As two selections; what does not change is gathered once, if no step led to another instance."""
        instance = self.ring.get(_INSTANCE, before)
        if not torch.equal(instance, self.ring.get(_INSTANCE, after)):
            return super().select_steps(before, after)
        instances = rows_to_graph(self.instances.select(instance))
        return _with_columns(instances, self.ring.select(before)), _with_columns(instances, self.ring.select(after))

    @override
    def release(self, ids: Tensor) -> None:
        dropped = self.ring.release(ids)
        self.instances.release(self.ring.get(_INSTANCE, dropped))

    @override
    def state_dict(self) -> dict[str, Tensor]:
        own = {f"instances.{key}": value for key, value in self.instances.state_dict().items()}
        return super().state_dict() | own

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        super().load_state_dict(state)
        self.instances.load_state_dict(_below("instances.", state))

    @override
    def require_whole(self, referred: Tensor) -> None:
        super().require_whole(referred)
        _require_graphs(self.instances)
        if len(self.ring):
            instance = self.ring.get(_INSTANCE, self.ring.ids)
            self.instances.require_references(instance)
            self._require_lengths(instance)

    def _require_lengths(self, instance: Tensor) -> None:
        """Raise ValueError unless each state has as many rows as its instance of the ids `instance` [R]."""
        for name, group in self.ring.select(self.ring.ids).groups.items():
            whole = self.instances.select(instance).groups[name]
            if not torch.equal(group.segments.ptr, whole.segments.ptr):
                raise ValueError(f"states have other {name} than their instances")

    def _changing(self, states: GraphBatch, instance: Tensor) -> Rows:
        given = self.instances

        def added(columns: Columns, table: Table) -> dict[str, Tensor]:
            return {name: column for name, column in columns.items() if name not in table.columns}

        groups = {
            "nodes": Group(states.node_segments, added(states.nodes, given.groups["nodes"])),
            "edges": Group(states.edge_segments, added(states.edges, given.groups["edges"])),
        }
        changing = {name: group for name, group in groups.items() if group.columns}
        return Rows(states.num_graphs, {**added(states.graphs, given.rows), _INSTANCE: instance}, changing)

    def _compact(self, coming: int) -> None:
        """Close the gaps between instances, before their table grows or the oldest give way, where half is gaps."""
        rows = self.instances.rows
        if not rows.used or rows.used + coming <= rows.size:
            return
        kept = self.instances.referenced
        if 2 * kept.numel() > rows.used:
            return
        counts = self.instances.get(_REFERENCES, kept)
        moved = self.instances.keep(kept)
        self.instances.set(_REFERENCES, moved, counts)
        states = self.ring.ids
        place = torch.searchsorted(kept, self.ring.get(_INSTANCE, states))
        self.ring.set(_INSTANCE, states, moved[place])


def _require_graphs(ring: RaggedRing) -> None:
    """Raise GraphError unless every row is a graph."""
    for ids in ring.ids.split(_CHECKED):
        GraphBatch.from_tensors(rows_to_graph(ring.select(ids)).to_tensors())


def _with_columns(instances: GraphBatch, changing: Rows) -> GraphBatch:
    columns = {name: group.columns for name, group in changing.groups.items()}
    graphs = {name: column for name, column in changing.columns.items() if name != _INSTANCE}
    batch = instances.with_graphs(**graphs) if graphs else instances
    batch = batch.with_nodes(**columns["nodes"]) if "nodes" in columns else batch
    return batch.with_edges(**columns["edges"]) if "edges" in columns else batch


def _below(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
