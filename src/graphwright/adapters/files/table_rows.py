"""`TableRows`: the cells of a table in a few flat lists, since a large file has millions of rows."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


class TableRows:
    """R rows of cells, the empty cells at the ends of rows left out.

    lines: [R] the number of each row's line. cells: of all rows, one after the other. ptr: [R + 1] int64, where in them
    each row begins.
    """

    def __init__(self, lines: Sequence[int], cells: list[str], ptr: NDArray[np.int64]) -> None:
        self.lines, self.cells, self.ptr = lines, cells, ptr

    def __len__(self) -> int:
        return len(self.ptr) - 1

    def __getitem__(self, row: int) -> list[str]:
        return self.cells[self.ptr[row] : self.ptr[row + 1]]

    @cached_property
    def widths(self) -> NDArray[np.int64]:
        """[R] how many cells each row has."""
        return np.diff(self.ptr)

    @cached_property
    def width(self) -> int:
        """How many cells a row has at most."""
        return int(self.widths.max(initial=0))

    @cached_property
    def is_even(self) -> bool:
        """Whether all rows have the same number of cells, and any."""
        return len(self.cells) > 0 and len(self.cells) == self.width * len(self)

    def column(self, place: int) -> list[str]:
        """[R] the cell of each row at `place`, empty where there is none."""
        if self.is_even:
            return self.cells[place :: self.width] if place < self.width else [""] * len(self)
        starts, has = self.ptr[:-1].tolist(), (self.widths > place).tolist()
        return [self.cells[start + place] if there else "" for start, there in zip(starts, has, strict=True)]

    def ends(self) -> list[str]:
        """The first two cells of each row, or its only one, row after row."""
        if self.width < 3:
            return self.cells
        if self.is_even:
            both = [""] * (2 * len(self))
            both[::2], both[1::2] = self.column(0), self.column(1)
            return both
        starts, stops = self.ptr[:-1].tolist(), np.minimum(self.ptr[:-1] + 2, self.ptr[1:]).tolist()
        return [cell for start, stop in zip(starts, stops, strict=True) for cell in self.cells[start:stop]]

    def first(self, mask: NDArray[np.bool_]) -> int:
        """The line of the first row where `mask` [R] is true."""
        return int(self.lines[int(mask.argmax())])

    def below(self) -> TableRows:
        """All rows but the first."""
        start = int(self.ptr[1])
        return TableRows(self.lines[1:], self.cells[start:], self.ptr[1:] - start)

    def select(self, mask: NDArray[np.bool_]) -> TableRows:
        """The rows where `mask` [R] is true."""
        if mask.all():
            return self
        kept = mask.nonzero()[0].tolist()
        cells = [cell for row in kept for cell in self[row]]
        ptr = np.concatenate([[0], self.widths[mask].cumsum()])
        return TableRows(array("q", [self.lines[row] for row in kept]), cells, ptr)
