"""Numbers as text: finite ones, in full."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graphwright.core import GraphError

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")

_OF_NUMBERS, _POINT = re.compile(r"[0-9.eE+-]+"), re.compile(r"[.eE]")
_DIGITS, _EXACT = 19, 2.0**53  # what int64 surely holds, and below what float64 holds every whole number


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


def many_numbers(tokens: Sequence[str]) -> NDArray[np.int64] | NDArray[np.float64] | None:
    """`number` of all `tokens` [n] at once, whole if all are; None where they have to be looked at one by one."""
    text = "".join(tokens)
    if not _OF_NUMBERS.fullmatch(text):
        return None
    try:
        if text.isdigit() and max(map(len, tokens)) < _DIGITS:
            return np.array(list(map(int, tokens)), dtype=np.int64)
        found = np.array(list(map(float, tokens)), dtype=np.float64)
    except ValueError:
        return None
    plain = _POINT.search(text) is not None and bool((np.abs(found) < _EXACT).all())
    return found if plain else None


def spell(value: float) -> str:
    """A finite number as `decimal` reads it; a whole one without a point, as many other programs need it."""
    return repr(value).removesuffix(".0")


def _short(token: str) -> str:
    return repr(token if len(token) <= 40 else token[:37] + "...")
