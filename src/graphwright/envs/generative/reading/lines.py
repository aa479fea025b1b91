"""Files of a line an object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from graphwright.core import GraphBatch

Made = Iterator[tuple[str, Callable[[], GraphBatch]]]
"""What to call each object, and a function that makes it or raises ValueError."""


def of_lines(data: bytes, make: Callable[[str], GraphBatch]) -> Made:
    """The object that `make` makes of each line, without the blanks around it."""

    def of(line: str) -> GraphBatch:
        if not line:
            raise ValueError("is blank")
        return make(line)

    lines = data.decode().splitlines()
    return ((f"line {number}", partial(of, line.strip())) for number, line in enumerate(lines, 1))
