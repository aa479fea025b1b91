"""`RaggedRing`: rows that come at one end and go at the other, each with ragged groups such as the nodes of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from graphwright.core.segment import Segments
from graphwright.data.tables import Columns, Memory, Table


@dataclass(frozen=True, eq=False)
class Group:
    """Further rows of each of R rows: the nodes of graphs, say, or the decisions of a transition.

    segments: M rows in R groups. columns: name -> [M, ...].
    """

    segments: Segments
    columns: Columns


@dataclass(frozen=True, eq=False)
class Rows:
    """R rows. columns: name -> [R, ...]; groups: name -> the further rows of each."""

    num_rows: int
    columns: Columns = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        tensors = [*self.columns.values(), *(group.segments.ptr for group in self.groups.values())]
        return tensors[0].device


class RaggedRing:
    """Rows with numbers (ids) that rise by one for ever. The oldest are dropped: `first` … `end` - 1 are live.

    Columns and groups are those of the first rows that are added; later ones must have the same. Adding costs a copy of
    what is added, amortised. `memory` bounds the bytes of all tables, and says who forgets what when they are reached;
    without it tables grow with what is in them.

    Raises ValueError, naming the column, for rows of another kind, and IndexError for ids that are not live.
    """

    def __init__(self, memory: Memory | None = None) -> None:
        self.memory = memory or Memory()
        self.rows = Table("row")
        self.groups: dict[str, Table] = {}
        self.memory.tables.append(self.rows)

    def __len__(self) -> int:
        return self.rows.used

    @property
    def first(self) -> int:
        """The id of the oldest row."""
        return self.rows.first

    @property
    def end(self) -> int:
        """The id that the next row gets."""
        return self.rows.end

    @property
    def ids(self) -> Tensor:
        """[len] int64: all live ids, from old to new."""
        return torch.arange(self.first, self.end, device=self.rows.device)

    def add(self, rows: Rows) -> Tensor:
        """Add `rows` after the newest; their ids [R] int64."""
        self._declare(rows)
        self.memory.reserve(
            {self.rows: rows.num_rows, **{self.groups[name]: g.segments.num_rows for name, g in rows.groups.items()}}
        )
        own = {**rows.columns, **self._places(rows)}  # where groups begin is known once nothing moves any more
        self.rows.write(own, rows.num_rows)
        for name, group in rows.groups.items():
            self.groups[name].write(group.columns, group.segments.num_rows)
        return torch.arange(self.end - rows.num_rows, self.end, device=self.rows.device)

    def select(self, ids: Tensor) -> Rows:
        """The rows of `ids` [S] int64, repeats allowed."""
        self._require_live(ids)
        places = self.rows.places(ids)
        own = {name: column[places] for name, column in self.rows.columns.items()}
        groups = {}
        for name, table in self.groups.items():
            start, count = own.pop(_start(name)), own.pop(_count(name))
            segments = Segments.from_lengths(count.long())
            groups[name] = Group(segments, table.gather(start, segments))
        return Rows(ids.numel(), own, groups)

    def get(self, name: str, ids: Tensor) -> Tensor:
        """The column `name` of the rows of `ids` [S], [S, ...]."""
        return self.rows.columns[name][self.rows.places(ids)]

    def set(self, name: str, ids: Tensor, values: Tensor) -> None:
        """Write `values` [S, ...] into the column `name` of the rows of `ids` [S]."""
        self._require_live(ids)
        column = self.rows.columns[name]
        column[self.rows.places(ids)] = values.to(column)

    def drop(self, first: int) -> None:
        """Forget the rows before the id `first`."""
        if first <= self.first:
            return
        for name, table in self.groups.items():
            table.first = int(self.get(_start(name), torch.tensor(first))) if first < self.end else table.end
        self.rows.first = first

    def keep(self, ids: Tensor) -> Tensor:
        """Forget all rows but those of `ids` [S] int64, which get new ids [S], in their order."""
        rows = self.select(ids)
        self.drop(self.end)
        return self.add(rows)

    def state_dict(self) -> dict[str, Tensor]:
        """All live rows, where they are numbered from, and how large the tables are."""
        tables = {"rows": self.rows, **{f"groups.{name}": table for name, table in self.groups.items()}}
        return {f"{prefix}.{key}": part for prefix, table in tables.items() for key, part in table.state_dict().items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Hold what `state_dict` returned, and go on in the same way to the last bit.

        Raises ValueError where groups are not those of the rows, or do not fit into the memory: kernels follow them.
        """
        names = {key.split(".")[1] for key in state if key.startswith("groups.")}
        if self.rows.columns and names != self.groups.keys():
            raise ValueError(f"a ring with the groups {sorted(names)}; this one has {sorted(self.groups)}")
        self.memory.require(sum(_bytes_of(_with_prefix(f"groups.{name}.", state)) for name in names))
        self.memory.require(_bytes_of(_with_prefix("rows.", state)))
        for name in sorted(names):
            self._table(name).load_state_dict(_with_prefix(f"groups.{name}.", state))
        self.rows.load_state_dict(_with_prefix("rows.", state))
        for name, table in self.groups.items():
            start, count = (self.get(column(name), self.ids) for column in (_start, _count))
            ends = table.first + count.long().cumsum(0)
            last = int(ends[-1]) if len(ends) else table.first
            if bool((count < 0).any()) or not torch.equal(start, ends - count) or last != table.end:
                raise ValueError(f"the {name} of a ring are not those of its rows")

    def _declare(self, rows: Rows) -> None:
        if self.rows.columns and rows.groups.keys() != self.groups.keys():
            raise ValueError(f"rows have the groups {sorted(rows.groups)}; the ring has {sorted(self.groups)}")
        for name, group in rows.groups.items():
            self._table(name).declare(group.columns, group.segments.num_rows)
        self.rows.declare({**rows.columns, **self._places(rows)}, rows.num_rows)

    def _table(self, name: str) -> Table:
        if name not in self.groups:
            self.groups[name] = Table(name)
            self.memory.tables.append(self.groups[name])
        return self.groups[name]

    def _places(self, rows: Rows) -> dict[str, Tensor]:
        places: dict[str, Tensor] = {}
        for name, group in rows.groups.items():
            places[_start(name)] = group.segments.ptr[:-1] + self.groups[name].end
            places[_count(name)] = group.segments.lengths.to(torch.int32)
        return places

    def _require_live(self, ids: Tensor) -> None:
        if ids.numel() and (int(ids.min()) < self.first or int(ids.max()) >= self.end):
            raise IndexError(f"rows {int(ids.min())} to {int(ids.max())}; {self.first} to {self.end - 1} are live")


def _start(name: str) -> str:
    return f"{name}:start"


def _count(name: str) -> str:
    return f"{name}:count"


def _with_prefix(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def _bytes_of(table: Mapping[str, Tensor]) -> int:
    """What a table will take that loads this state. Raises ValueError where it does not say how large it is."""
    if table["ring"].shape != (3,):
        raise ValueError("a table that does not say where it begins and ends, and how large it is")
    size = int(table["ring"][2])
    return size * sum(column[:1].nbytes for name, column in table.items() if name != "ring" and len(column))
