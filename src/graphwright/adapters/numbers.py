"""Numbers as text: finite ones, in full."""

from __future__ import annotations

import math
import re

from graphwright.core import GraphError

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def number(token: str) -> int | float:
    """The finite number that `token` spells. Raises GraphError for anything else."""
    value: int | float = math.nan
    if len(token) < 300 and _INTEGER.fullmatch(token):
        value = int(token)
    elif _DECIMAL.fullmatch(token):
        value = float(token)
    if not -math.inf < value < math.inf:
        raise GraphError(f"{_short(token)} is not a finite number; correct it")
    return value


def decimal(token: str) -> float:
    """The finite number that `token` spells, in float64. Raises GraphError for an integer that float64 lacks."""
    value, held = number(token), float(token)
    if isinstance(value, int) and held != value:
        raise GraphError(f"{_short(token)} has more digits than float64 holds; write it in another unit")
    return held


def spell(value: float) -> str:
    """A finite number as `decimal` reads it; a whole one without a point, as many other programs need it."""
    return repr(value).removesuffix(".0")


def _short(token: str) -> str:
    return repr(token if len(token) <= 40 else token[:37] + "...")
