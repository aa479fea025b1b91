"""Many states: `StateTable` stores what the states of an instance share once, `SharedStates` those that are the same,
`WholeStates` all of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.distinct import column_hashes, graph_hashes
from graphwright.core.segment import Segments


class States(Protocol):
    """R states."""

    @property
    def num_states(self) -> int:
        """R."""

    @property
    def num_bytes(self) -> int:
        """Bytes of what is stored for each state."""

    @property
    def numbers(self) -> Tensor:
        """[R] int64: the same for states that are the same, number for number."""

    def select(self, rows: Tensor) -> GraphBatch:
        """The states at `rows` [S] int64, as a batch."""


@dataclass(frozen=True, eq=False)
class WholeStates:
    """R states, each with its own nodes, edges and columns: for environments that edit their graphs."""

    states: GraphBatch

    @property
    def num_states(self) -> int:
        """R."""
        return self.states.num_graphs

    @property
    def num_bytes(self) -> int:
        """Bytes of all states."""
        return sum(tensor.nbytes for tensor in self.states.to_tensors().values())

    @property
    def numbers(self) -> Tensor:
        """[R] int64: the same for states that are the same, number for number."""
        return graph_hashes(self.states)

    def select(self, rows: Tensor) -> GraphBatch:
        """The states at `rows` [S] int64, as a batch."""
        return self.states.select(rows)

    def take(self, rows: Tensor) -> WholeStates:
        """The states at `rows` [S] int64, stored in the same way."""
        return WholeStates(self.states.select(rows))

    def join(self, others: Sequence[WholeStates]) -> WholeStates:
        """These states and all `others` after them."""
        return WholeStates(GraphBatch.concat([self.states, *(other.states for other in others)]))


@dataclass(frozen=True, eq=False)
class SharedStates:
    """R states, of which many are the same.

    states: [U], those that are different. numbers: [R] int64, which of them each is.
    """

    states: GraphBatch
    numbers: Tensor

    @property
    def num_states(self) -> int:
        """R."""
        return self.numbers.numel()

    @property
    def num_bytes(self) -> int:
        """Bytes of all states."""
        return self.numbers.nbytes + sum(tensor.nbytes for tensor in self.states.to_tensors().values())

    def select(self, rows: Tensor) -> GraphBatch:
        """The states at `rows` [S] int64, as a batch."""
        return self.states.select(self.numbers[rows])

    def take(self, rows: Tensor) -> SharedStates:
        """The states at `rows` [S] int64, stored in the same way."""
        return SharedStates(self.states, self.numbers[rows])

    def join(self, others: Sequence[SharedStates]) -> SharedStates:
        """These states and all `others` after them."""
        tables = [self, *others]
        if all(table.states is self.states for table in tables):
            return SharedStates(self.states, torch.cat([table.numbers for table in tables]))
        first = torch.tensor([0, *(table.states.num_graphs for table in tables)]).cumsum(0).tolist()
        numbers = torch.cat([table.numbers + begin for table, begin in zip(tables, first, strict=False)])
        return SharedStates(GraphBatch.concat([table.states for table in tables]), numbers)


@dataclass(frozen=True, eq=False)
class StateTable:
    """R states of I instances: the instances once, and of each state only the columns that `reset` added.

    instances: the I instances, with their topology and unchanging columns.
    instance_row: [R] int32, the instance of each state.
    nodes, edges, graphs: name -> the added columns of all states, one state after the other.
    """

    instances: GraphBatch
    instance_row: Tensor
    nodes: Mapping[str, Tensor]
    edges: Mapping[str, Tensor]
    graphs: Mapping[str, Tensor]

    @staticmethod
    def of(instances: GraphBatch, instance_rows: Sequence[Tensor], states: Sequence[GraphBatch]) -> StateTable:
        """The table of `states`, which are batches of states of the instances at `instance_rows`."""
        first = states[0]

        def added(table: str) -> dict[str, Tensor]:
            names = [name for name in getattr(first, table) if name not in getattr(instances, table)]
            return {name: torch.cat([getattr(state, table)[name] for state in states]) for name in names}

        rows = torch.cat(list(instance_rows)).to(torch.int32)
        return StateTable(instances, rows, added("nodes"), added("edges"), added("graphs"))

    @property
    def num_states(self) -> int:
        """R."""
        return self.instance_row.numel()

    @property
    def num_bytes(self) -> int:
        """Bytes of what is stored for each state (not of the instances)."""
        columns = [*self.nodes.values(), *self.edges.values(), *self.graphs.values(), self.instance_row]
        return sum(column.nbytes for column in columns)

    @property
    def numbers(self) -> Tensor:
        """[R] int64: the same for states that are the same, number for number."""
        hashes = graph_hashes(self.instances)[self.instance_row.long()]
        hashes = column_hashes(self.nodes, self._node_segments, hashes)
        hashes = column_hashes(self.edges, self._edge_segments, hashes)
        return column_hashes(self.graphs, Segments(torch.arange(self.num_states + 1)), hashes)

    def select(self, rows: Tensor) -> GraphBatch:
        """The states at `rows` [S] int64, as a batch."""
        batch = self.instances.select(self.instance_row[rows].long())
        return (
            batch.with_nodes(**_gather(self.nodes, self._node_segments, rows))
            .with_edges(**_gather(self.edges, self._edge_segments, rows))
            .with_graphs(**{name: column[rows] for name, column in self.graphs.items()})
        )

    def take(self, rows: Tensor) -> StateTable:
        """The states at `rows` [S] int64, stored in the same way."""
        return StateTable(
            self.instances,
            self.instance_row[rows],
            _gather(self.nodes, self._node_segments, rows),
            _gather(self.edges, self._edge_segments, rows),
            {name: column[rows] for name, column in self.graphs.items()},
        )

    def join(self, others: Sequence[StateTable]) -> StateTable:
        """These states and all `others`, which have the same columns, after them."""
        tables = [self, *others]
        instances = GraphBatch.concat([table.instances for table in tables])
        first = torch.tensor([0, *(table.instances.num_graphs for table in tables)]).cumsum(0)
        rows = [table.instance_row + begin for table, begin in zip(tables, first.tolist(), strict=False)]

        def columns(table: str) -> dict[str, Tensor]:
            names = getattr(self, table)
            return {name: torch.cat([getattr(one, table)[name] for one in tables]) for name in names}

        return StateTable(instances, torch.cat(rows), columns("nodes"), columns("edges"), columns("graphs"))

    @cached_property
    def _node_segments(self) -> Segments:
        return Segments.from_lengths(self.instances.node_segments.lengths[self.instance_row.long()])

    @cached_property
    def _edge_segments(self) -> Segments:
        return Segments.from_lengths(self.instances.edge_segments.lengths[self.instance_row.long()])


def _gather(columns: Mapping[str, Tensor], segments: Segments, rows: Tensor) -> dict[str, Tensor]:
    if not columns:
        return {}
    _, gathered = segments.select(rows)
    return {name: column[gathered] for name, column in columns.items()}
