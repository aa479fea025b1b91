"""Distances of all pairs of nodes as TSPLIB lists them: EDGE_WEIGHT_TYPE : EXPLICIT.

    DIMENSION : 3
    EDGE_WEIGHT_TYPE : EXPLICIT
    EDGE_WEIGHT_FORMAT : UPPER_ROW      or FULL_MATRIX, LOWER_ROW, UPPER_DIAG_ROW, LOWER_DIAG_ROW, or by columns
    EDGE_WEIGHT_SECTION
    5 7                                 of 1 to 2 and to 3, wrapped in any way: the edge column `weight` [E] float64
    9                                   of 2 to 3

They become a complete graph of nodes 1 to N. Coordinates that such a file gives beside the distances are for display
and not read, since they are not what distances are between.
"""

from __future__ import annotations

import numpy as np
import torch

from graphwright.adapters.files.counted import node_names
from graphwright.adapters.files.tsplib_text import Rows, Values, check_dimension, value_of
from graphwright.adapters.listed_links import from_listed
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.numbers import decimal
from graphwright.adapters.reading import Reading
from graphwright.core import GraphError

TABLE = "EDGE_WEIGHT_SECTION"
FORMATS = {
    "FULL_MATRIX": None,
    "UPPER_ROW": (True, 1),
    "LOWER_ROW": (False, 1),
    "UPPER_DIAG_ROW": (True, 0),
    "LOWER_DIAG_ROW": (False, 0),
    "UPPER_COL": (False, 1),
    "LOWER_COL": (True, 1),
    "UPPER_DIAG_COL": (False, 0),
    "LOWER_DIAG_COL": (True, 0),
}
"""Which triangle is listed row by row, True the upper one, and how far from the diagonal it begins; None for all."""


def distances(values: Values, sections: dict[str, Rows]) -> NamedGraph:
    """The complete graph of a file with such distances. Raises GraphError, naming what is wrong, for a bad one."""
    form = value_of(values, "EDGE_WEIGHT_FORMAT")[1].split()[0]
    line, said = value_of(values, "DIMENSION")
    if form not in FORMATS:
        raise GraphError(
            f"line {values['EDGE_WEIGHT_FORMAT'][0]}: {form} gives no distances; name a table: {', '.join(FORMATS)}"
        )
    if TABLE not in sections:
        raise GraphError(f"has no {TABLE}; add it")
    numbers = _numbers(sections[TABLE])
    size = _size(form, len(numbers))
    check_dimension(line, said, size)
    table = _table(form, size, numbers)
    one, other = np.triu_indices(size, 1)
    others = [section for section in sections if section != TABLE]
    return from_listed(
        node_names(size),
        torch.from_numpy(np.stack([one, other], axis=1)),
        directed=False,
        edges={"weight": torch.from_numpy(table[one, other])},
        reading=Reading(format=f"TSPLIB (EXPLICIT, {form})", edge_weight=TABLE, ignored=tuple(others)),
    )


def _numbers(rows: Rows) -> np.ndarray:
    """[M] float64, in their order."""
    found: list[float] = []
    for line, words in rows:
        try:
            found.extend(map(decimal, words))
        except GraphError as error:
            raise GraphError(f"line {line}: {error}") from error
    return np.array(found, dtype=np.float64)


def _size(form: str, count: int) -> int:
    """How many nodes so many numbers are for. Raises GraphError where they are for none."""
    shape = FORMATS[form]
    if shape is None:
        size = round(count**0.5)
        expected = size * size
    else:
        size = round(((8 * count + 1) ** 0.5 + 1) / 2) - (1 - shape[1])
        expected = size * (size + 1 - 2 * shape[1]) // 2
    if expected != count:
        raise GraphError(f"has {count} distances, which fill no {form}; complete the file if it was cut off")
    return size


def _table(form: str, size: int, numbers: np.ndarray) -> np.ndarray:
    """[N, N] float64. Raises GraphError where two directions of a pair differ."""
    shape = FORMATS[form]
    if shape is None:
        table = numbers.reshape(size, size)
        wrong = np.argwhere(table != table.T)
        if wrong.size:
            one, other = wrong[0] + 1
            raise GraphError(f"nodes {one} and {other} are not as far apart one way as the other; give both the same")
        return table
    upper, begin = shape
    table = np.zeros((size, size))
    table[np.triu_indices(size, begin) if upper else np.tril_indices(size, -begin)] = numbers
    return table + table.T
