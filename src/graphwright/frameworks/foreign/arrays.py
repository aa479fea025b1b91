"""Arrays of others: masks, ends, numbers and vectors as they should be, or refused."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from gymnasium import Space, spaces

from graphwright.core import GraphError


def read_mask(mask: np.ndarray) -> np.ndarray:
    """A mask as bools. Raises GraphError for other numbers than 0 and 1, such as a list of the legal actions."""
    legal = mask != 0
    if mask.dtype != bool and (legal & (mask != 1)).any():
        raise GraphError(
            f"the action mask holds {mask[legal & (mask != 1)][0]}; give True or False for each action, not numbers"
        )
    return legal


def refuse_ends(ends: np.ndarray, wrong: np.ndarray, size: np.ndarray) -> None:
    """Raise GraphError where one of the links `ends` [2, L] is `wrong` [L]; size: [L], nodes of its graph."""
    if wrong.any():
        first = int(np.argmax(wrong))
        raise GraphError(f"'links' names nodes {ends[:, first].tolist()}, but the graph has {size[first]} nodes")


def flat_rows(space: Space, value: np.ndarray, count: int) -> np.ndarray:
    """[B, D] float32: values as Gymnasium flattens them, `Discrete` as one-hot."""
    if isinstance(space, spaces.Box | spaces.MultiBinary):
        return value.reshape(count, -1).astype(np.float32)
    if isinstance(space, spaces.Discrete):
        value = value.reshape(count)
    elif value.shape[:1] != (count,):
        raise GraphError(f"an entry of {space} has shape {value.shape[1:]}; let them agree")
    return np.stack([np.asarray(spaces.flatten(space, one), np.float32) for one in value])


def check_finite(packed: Mapping[str, np.ndarray]) -> None:
    """Raise GraphError for numbers that are not finite: one of them spoils every weight."""
    for name, column in packed.items():
        if column.dtype == np.float32 and not np.isfinite(column).all():
            where = int(np.argwhere(~np.isfinite(column))[0, 0])
            raise GraphError(f"column {name!r} holds {column[where].tolist()} in row {where}; make all numbers finite")
