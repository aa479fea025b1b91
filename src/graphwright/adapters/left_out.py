"""Saying what has no place in a `GraphBatch`."""

from __future__ import annotations

import warnings
from collections.abc import Iterable


class LeftOut(UserWarning):
    """Attributes that make no column were left out."""


def say_left_out(source: str, names: Iterable[str]) -> None:
    """Warn of the attributes `names` of `source`, if there are any."""
    listed = sorted(set(names))
    if listed:
        warnings.warn(
            f"{source}: {', '.join(listed)} make no column (no numbers, or not alike on all) and are left "
            "out; turn them into numbers to keep them",
            LeftOut,
            stacklevel=3,
        )
