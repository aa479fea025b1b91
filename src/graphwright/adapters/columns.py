"""Attributes of rows to tensor columns and back: the one rule of every source that holds its values row by row.

An attribute is a column where each row that has it holds a real number, a boolean, or a list of these of one length:

* booleans become bool, integers int64, anything with a float in it float64; numpy and torch values keep their dtype;
* numbers, true and false written as text are what they say, if all of an attribute are; empty text is missing;
* rows without the attribute (or with None) become NaN, which makes the column float64 unless it is of floats already;
* other attributes (text, objects, lists of different lengths) are no columns and are left out.

No value changes on the way: an integer that the dtype of its column cannot hold is an error. A column takes memory for
every row, so many attributes that stand on few rows each are an error too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from graphwright.adapters.numbers import number
from graphwright.core import GraphError

Row = dict[str, object]
_FEW_CELLS, _MOST_GAPS = 1 << 20, 64  # cells of columns that any file may have, and for each value that it holds
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
    cells: dict[str, tuple[list[int], list[object]]] = {name: ([], []) for row in rows[:1] for name in row}
    for place, row in enumerate(rows):
        for name, value in row.items():
            places, values = cells.setdefault(name, ([], []))
            if value is not None and not (isinstance(value, str) and not value):
                places.append(place)
                values.append(value)
    columns: dict[str, Tensor] = {}
    taken = held = 0
    for name, (places, values) in cells.items():
        if not places and name not in declared:
            continue
        known = _numbers(name, values) if places else torch.empty(0, dtype=torch.float64)
        if known is None:
            continue
        size = known[:1].numel()
        taken, held = taken + len(rows) * size, held + len(places) * size
        if taken > max(_FEW_CELLS, _MOST_GAPS * held):
            raise GraphError(
                f"{len(cells)} attributes, most of which stand on few of {len(rows)} rows; keep those that are needed"
            )
        column = known if len(places) == len(rows) else _with_gaps(name, known, places, len(rows))
        columns[name] = _cast(column, declared[name][0]) if name in declared else column
    return columns


def number_column(name: str, values: Sequence[int | float | None]) -> Tensor:
    """[len(values)] int64 or float64: a column of numbers, NaN where one is None. Raises GraphError as `to_columns`."""
    places = [place for place, value in enumerate(values) if value is not None]
    known = _numbers(name, [value for value in values if value is not None])
    assert known is not None
    return known if len(places) == len(values) else _with_gaps(name, known, places, len(values))


def left_out(rows: Sequence[Mapping[str, object]], columns: Mapping[str, Tensor]) -> list[str]:
    """The attributes of `rows` that are none of the `columns` made of them, in order of first appearance."""
    return [name for name in dict.fromkeys(name for row in rows for name in row) if name not in columns]


def _numbers(name: str, values: list[object]) -> Tensor | None:
    """`values` as one tensor, None if they are no numbers of one shape."""
    if all(isinstance(value, Tensor) for value in values):
        tensors: list[Tensor] = values  # type: ignore[assignment]
        alike = {(tensor.shape, tensor.dtype) for tensor in tensors}
        return torch.stack(tensors) if len(alike) == 1 else None
    if any(isinstance(value, str) for value in values):
        return _spelled(values)
    if any(isinstance(value, list | tuple) and _holds_text(value) for value in values):
        return None
    try:
        array = np.array(values)
    except ValueError:  # lists of several lengths
        return None
    if array.dtype.kind in "Ouf":
        _check_integers(name, array, values)
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        return None
    return torch.from_numpy(array.astype(array.dtype.newbyteorder("="), copy=False))


def _spelled(values: list[object]) -> Tensor | None:
    """`values`, some of them text, as numbers, or as booleans where all are; None if they are neither."""
    words = [value.strip().lower() if isinstance(value, str) else value for value in values]
    if all(word in ("true", "false") for word in words if isinstance(word, str)) and all(
        isinstance(word, str | bool) for word in words
    ):
        return torch.tensor([word in ("true", True) for word in words])
    try:
        found = [number(value.strip()) if isinstance(value, str) else value for value in values]
    except GraphError:
        return None
    if not all(isinstance(value, int | float) for value in found):
        return None
    whole = all(isinstance(value, int) for value in found)
    if any(isinstance(value, int) and not _fits(value, whole) for value in found):
        return None  # names of many digits
    return torch.tensor(found, dtype=torch.int64 if whole else torch.float64)


def _fits(value: int, whole: bool) -> bool:
    return -(2**63) <= value < 2**63 if whole else int(float(value)) == value


def _holds_text(values: Sequence[object]) -> bool:
    return any(_holds_text(value) if isinstance(value, list | tuple) else isinstance(value, str) for value in values)


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
