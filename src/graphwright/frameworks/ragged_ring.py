"""`RaggedRing`: the newest graphs, in memory that is as large as they are."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from graphwright.frameworks.schema import COUNTED_BY, Arrays, segments_of

_FIRST_ROOM = 1024


class RaggedRing:
    """A ring of `capacity` graphs as packed arrays, the oldest of which give way.

    The rows of each table are a ring as well: a graph's rows follow those of the graph before, round the end, and a
    table grows to twice its size when its live rows fill it.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.num_added = 0
        self._tables: dict[str, Tensor] = {}
        self._start: dict[str, Tensor] = {}  # counted by → [capacity] where the rows of each graph begin, ever rising
        self._count: dict[str, Tensor] = {}
        self._head: dict[str, int] = {}

    @property
    def num_bytes(self) -> int:
        """Memory of all tables."""
        return sum(table.nbytes for table in [*self._tables.values(), *self._start.values(), *self._count.values()])

    def add(self, arrays: Mapping[str, Tensor]) -> None:
        """The next graphs, at most `capacity` of them."""
        count = len(arrays["num_nodes"])
        places = (self.num_added + torch.arange(count)) % self.capacity
        for counted in set(COUNTED_BY.values()):
            rows = segments_of(arrays[counted])
            if counted not in self._start:
                self._start[counted] = torch.zeros(self.capacity, dtype=torch.int64)
                self._count[counted] = torch.zeros(self.capacity, dtype=torch.int64)
                self._head[counted] = 0
            self._start[counted][places] = self._head[counted] + rows.ptr[:-1]
            self._count[counted][places] = rows.lengths
            self._head[counted] += rows.num_rows
        self.num_added += count
        for key, values in arrays.items():
            self._write(key, values, places)

    def select(self, places: Tensor) -> Arrays:
        """The graphs at `places` [S] int64 of the ring, packed."""
        arrays: Arrays = {}
        gathered = {}
        for counted in set(COUNTED_BY.values()):
            rows = segments_of(self._count[counted][places])
            gathered[counted] = self._start[counted][places][rows.index] + rows.position
        for key, table in self._tables.items():
            rows_of = gathered[COUNTED_BY[key]] % len(table) if key in COUNTED_BY else places
            arrays[key] = table[rows_of]
        return arrays

    def _write(self, key: str, values: Tensor, places: Tensor) -> None:
        if key not in COUNTED_BY:
            table = self._tables.setdefault(key, values.new_zeros(self.capacity, *values.shape[1:]))
            table[places] = values
            return
        counted = COUNTED_BY[key]
        oldest = int(self._start[counted][self.num_added % self.capacity]) if self.num_added >= self.capacity else 0
        table = self._room(key, values, oldest, self._head[counted])
        begin = self._head[counted] - len(values)
        table[(begin + torch.arange(len(values))) % len(table)] = values

    def _room(self, key: str, values: Tensor, oldest: int, head: int) -> Tensor:
        """The table of `key`, with room for the rows from `oldest` to `head`."""
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = values.new_zeros(_FIRST_ROOM, *values.shape[1:])
        if head - oldest <= len(table):
            return table
        size = len(table)
        while head - oldest > size:
            size *= 2
        larger = table.new_zeros(size, *table.shape[1:])
        live = torch.arange(max(oldest, head - len(values) - len(table)), head - len(values))
        larger[live % size] = table[live % len(table)]
        self._tables[key] = larger
        return larger
