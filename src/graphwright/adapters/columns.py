"""Attributes of rows to tensor columns and back: the one rule of every source that holds its values row by row.

An attribute is a column where each row that has it holds a real number, a boolean, or a list of these of one length:

* booleans become bool, integers int64, anything with a float in it float64; numpy and torch values keep their dtype;
* rows without the attribute (or with None) become NaN, which makes the column float64 unless it is of floats already;
* other attributes (text, objects, lists of different lengths) are no columns and are left out.

No value changes on the way: an integer that the dtype of its column cannot hold is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphError

Row = dict[str, object]
Declared = Mapping[str, tuple[torch.dtype, tuple[int, ...]]]


def to_rows(columns: Mapping[str, Tensor], count: int) -> list[Row]:
    """The `count` rows of `columns` [count, ...] as plain Python numbers, booleans and lists."""
    cells = [column.tolist() for column in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*cells, strict=True)] or [{} for _ in range(count)]


def to_columns(rows: Sequence[Mapping[str, object]], declared: Declared | None = None) -> dict[str, Tensor]:
    """The columns [len(rows), ...] of `rows`, by the rule of this module, in order of first appearance.

    declared: the dtype and the shape of one row that a column had when it was written. A column takes that dtype if its
        values survive it; where there are no rows, nothing else tells of it.

    Raises GraphError for an integer that its column cannot hold.
    """
    declared = declared or {}
    if not rows:
        return {name: torch.empty((0, *shape), dtype=dtype) for name, (dtype, shape) in declared.items()}
    columns = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        column = _column(name, [row.get(name) for row in rows], declared.get(name))
        if column is not None:
            columns[name] = column
    return columns


def _column(name: str, values: list[object], declared: tuple[torch.dtype, tuple[int, ...]] | None) -> Tensor | None:
    present = [place for place, value in enumerate(values) if value is not None]
    if not present and declared is None:
        return None
    known = _numbers(name, [values[place] for place in present]) if present else torch.empty(0, dtype=torch.float64)
    if known is None:
        return None
    column = known if len(present) == len(values) else _with_gaps(name, known, present, len(values))
    return column if declared is None else _cast(column, declared[0])


def _numbers(name: str, values: list[object]) -> Tensor | None:
    """`values` as one tensor, None if they are no numbers of one shape."""
    if all(isinstance(value, Tensor) for value in values):
        tensors: list[Tensor] = values  # type: ignore[assignment]
        alike = {(tensor.shape, tensor.dtype) for tensor in tensors}
        return torch.stack(tensors) if len(alike) == 1 else None
    try:
        array = np.array(values)
    except ValueError:  # lists of several lengths
        return None
    if array.dtype.kind in "Ouf":
        _check_integers(name, array, values)
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        return None
    return torch.from_numpy(array.astype(array.dtype.newbyteorder("="), copy=False))


def _check_integers(name: str, array: np.ndarray, values: list[object]) -> None:
    """Raise GraphError if an integer among `values` is not in `array` as it is."""
    for held, value in zip(array.ravel().tolist(), np.array(values, dtype=object).ravel().tolist(), strict=False):
        if isinstance(value, int) and (held != value or not -(2**63) <= value < 2**63):
            raise _too_large(name, value)


def _with_gaps(name: str, known: Tensor, present: list[int], count: int) -> Tensor:
    """A column of `count` rows, `known` where it is `present` and NaN elsewhere."""
    dtype = known.dtype if known.is_floating_point() else torch.float64
    column = torch.full((count, *known.shape[1:]), torch.nan, dtype=dtype)
    column[torch.tensor(present, dtype=torch.int64)] = known.to(dtype)
    if _cast(known, dtype).dtype != dtype:
        raise _too_large(name, int(known.abs().max()))
    return column


def _too_large(name: str, value: int) -> GraphError:
    return GraphError(
        f"attribute {name!r}: no column holds {value} and its other values; write it as text or as a float"
    )


def _cast(column: Tensor, dtype: torch.dtype) -> Tensor:
    """`column` in `dtype` if no value changes, otherwise as it is."""
    cast = column.to(dtype)
    back = cast.to(column.dtype)
    same = (back == column) | ((back != back) & (column != column))
    return cast if bool(same.all()) else column
