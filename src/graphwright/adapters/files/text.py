"""Reading text: UTF-8, numbered lines, finite numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from graphwright.core import GraphError

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def decode(data: bytes) -> str:
    """`data` as text. Raises GraphError, naming the line, where it is not UTF-8."""
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise GraphError(
            f"line {line}: byte 0x{data[error.start]:02x} is not UTF-8 text; save the file as UTF-8"
        ) from error


def numbered_lines(data: bytes) -> Iterator[tuple[int, str]]:
    """The lines that hold anything, stripped, with their numbers from 1. Raises GraphError as `decode` does."""
    for number, line in enumerate(decode(data).split("\n"), start=1):
        if line.strip():
            yield number, line.strip()


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


def weight(token: str) -> int | float:
    """The finite number >= 0 that `token` spells. Raises GraphError for anything else."""
    value = number(token)
    if value < 0:
        raise GraphError(f"weight {_short(token)} is negative; a weight is a finite number >= 0")
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
