"""Attributes of PyG's stores as columns."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphError, Segments


def is_text(value: object) -> bool:
    """Whether `value` is text, or lists of it, and so makes no column."""
    return isinstance(value, str) or (isinstance(value, list | tuple) and all(is_text(inner) for inner in value))


def dense(key: str, value: object) -> Tensor:
    """`value` as a plain dense tensor. Raises GraphError, naming the attribute, for anything but that or a number."""
    if isinstance(value, int | float):
        value = torch.tensor(value)
    if not isinstance(value, Tensor) or value.layout is not torch.strided:
        raise GraphError(f"attribute {key!r} is a {type(value).__name__}; make it a dense tensor, or delete it")
    return value.as_subclass(Tensor)


def unshifted(key: str, column: Tensor, counts: Tensor, shifts: Tensor | None) -> Tensor:
    """`column` without what PyG added to the rows of each graph, of which there are `counts` [B].

    Raises GraphError where it added more than one number to a graph's rows.
    """
    if shifts is None or not bool(shifts.any()):
        return column
    if shifts.dim() != 1:
        raise GraphError(
            f"attribute {key!r} was shifted in batching by a rule of its own; convert `to_data_list()` instead"
        )
    shift = shifts.to(column.device)[Segments.from_lengths(counts).index]
    return column - shift.reshape(-1, *[1] * (column.dim() - 1))
