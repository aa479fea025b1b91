"""`Table`: columns as a ring of rows; `Memory`: the bytes that several tables share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from graphwright.core.kernels.runs import gather_runs
from graphwright.core.segment import Segments

Columns = Mapping[str, Tensor]
_FIRST_SIZE = 64


class Table:
    """Rows in a ring of `size` places: the live ones are `first` … `end` - 1, and row r stands at place r % size."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.columns: dict[str, Tensor] = {}
        self.size = 0
        self.first = 0
        self.end = 0
        self.row_bytes = 0
        self.device: torch.device | None = None

    @property
    def used(self) -> int:
        """How many rows are live."""
        return self.end - self.first

    @property
    def num_bytes(self) -> int:
        """Bytes of all places, live or not."""
        return self.size * self.row_bytes

    def declare(self, columns: Columns, count: int) -> None:
        """Take the names, shapes and types of `columns`. Raises ValueError where they are others than before.

        Likewise where a column has not `count` rows.
        """
        if not self.columns and not self.used:
            self.columns = {name: column.new_empty(0, *column.shape[1:]) for name, column in columns.items()}
            self._measure()
        if columns.keys() != self.columns.keys():
            odd = sorted(columns.keys() ^ self.columns.keys())[0]
            raise ValueError(f"{self.name} column {odd!r} is new or missing; the table has {sorted(self.columns)}")
        for name, column in columns.items():
            own = self.columns[name]
            if len(column) != count:
                raise ValueError(f"{self.name} column {name!r} has {len(column)} rows; the others have {count}")
            if column.shape[1:] != own.shape[1:] or column.dtype != own.dtype:
                raise ValueError(
                    f"{self.name} column {name!r} is {_kind(column)}; the table holds {_kind(own)} under that name"
                )

    def places(self, rows: Tensor) -> Tensor:
        """Where `rows` stand."""
        return rows % max(self.size, 1)

    def gather(self, start: Tensor, segments: Segments) -> dict[str, Tensor]:
        """The rows from `start` [S] on, as many as `segments` has in each of S groups."""
        place = self.places(start)
        return {
            name: gather_runs(column, place, segments.ptr, segments.num_rows) for name, column in self.columns.items()
        }

    def write(self, columns: Columns, count: int) -> None:
        """Put `count` rows after the newest; there is room for them."""
        begin = self.end % max(self.size, 1)
        straight = min(count, self.size - begin)
        for name, values in columns.items():
            self.columns[name][begin : begin + straight] = values[:straight]
            self.columns[name][: count - straight] = values[straight:]
        self.end += count

    def resize(self, size: int) -> None:
        """Move the live rows, at most `size`, to a ring of `size` places."""
        live = torch.arange(self.first, self.end, device=self.device)
        for name, column in self.columns.items():
            moved = column.new_empty(size, *column.shape[1:])
            if live.numel():
                moved[live % size] = column[live % self.size]
            self.columns[name] = moved
        self.size = size

    def state_dict(self) -> dict[str, Tensor]:
        """The live rows in order, and `ring` [3] int64: first, end, size."""
        live = self.places(torch.arange(self.first, self.end, device=self.device))
        columns = {name: column[live] for name, column in self.columns.items()}
        return {"ring": torch.tensor([self.first, self.end, self.size]), **columns}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Hold what `state_dict` returned. Raises ValueError where columns are others than before, or not so long."""
        columns = {name: values for name, values in state.items() if name != "ring"}
        first, end, size = (int(number) for number in state["ring"])
        if not 0 <= first <= end <= first + size:
            raise ValueError(f"{self.name} rows {first} to {end} in a ring of {size} places")
        self.first, count, self.end = first, end - first, first
        self.declare(columns, count)
        self.resize(size)
        self.write(columns, count)

    def _measure(self) -> None:
        self.row_bytes = sum(column[:0].new_empty(1, *column.shape[1:]).nbytes for column in self.columns.values())
        self.device = next((column.device for column in self.columns.values()), None)


class Memory:
    """The bytes of several tables: each doubles when it is full, until all of them together reach `max_bytes`.

    From then on `forget` is called, which drops the oldest of what they hold and says whether there was anything.
    The tables share the bytes in the proportion in which they are used; where what is live fills less than half of
    them, since that proportion has changed, they are cut anew. While a column moves it exists twice.
    """

    def __init__(self, max_bytes: int | None = None, forget: Callable[[], bool] | None = None) -> None:
        self.max_bytes = max_bytes
        self.forget = forget
        self.tables: list[Table] = []

    @property
    def num_bytes(self) -> int:
        """Of all tables."""
        return sum(table.num_bytes for table in self.tables)

    def reserve(self, needs: Mapping[Table, int]) -> None:
        """Make room for so many more rows in each table. Raises ValueError where they never fit into `max_bytes`."""
        while lacking := [table for table, rows in needs.items() if table.used + rows > table.size]:
            sizes = {table: max(2 * table.size, table.used + needs[table], _FIRST_SIZE) for table in lacking}
            if self._fits(sizes):
                for table, size in sizes.items():
                    table.resize(size)
            elif not self._cut(needs) and not (self.forget is not None and self.forget()):
                wanted = sum(table.row_bytes * rows for table, rows in needs.items())
                raise ValueError(f"{wanted:,} bytes at once do not fit into {self.max_bytes:,}; give more, or add less")

    def require(self, num_bytes: int) -> None:
        """Raise ValueError where so many bytes are more than may ever be taken."""
        if self.max_bytes is not None and num_bytes > self.max_bytes:
            raise ValueError(f"tables of {num_bytes:,} bytes do not fit into {self.max_bytes:,}")

    def _fits(self, sizes: Mapping[Table, int]) -> bool:
        more = sum((size - table.size) * table.row_bytes for table, size in sizes.items())
        return self.max_bytes is None or self.num_bytes + more <= self.max_bytes

    def _cut(self, needs: Mapping[Table, int]) -> bool:
        """Give each table its share of all bytes, if that is worth it."""
        assert self.max_bytes is not None
        used = {table: table.used + needs.get(table, 0) for table in self.tables}
        live = sum(rows * table.row_bytes for table, rows in used.items())
        unused = self.num_bytes < 7 * self.max_bytes // 8
        if not live or live > self.max_bytes or not (unused or 2 * live <= self.max_bytes):
            return False
        sizes = {table: rows * self.max_bytes // live if table.row_bytes else rows for table, rows in used.items()}
        for table in sorted(sizes, key=lambda table: sizes[table] - table.size):  # those that shrink make room first
            table.resize(sizes[table])
        return True


def _kind(column: Tensor) -> str:
    return f"{column.dtype} [rows{''.join(f', {size}' for size in column.shape[1:])}]"
