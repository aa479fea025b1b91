"""Numbers that people give and programs write: finite ones, of at most 64 bits."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_MOST = 2**63 - 1
_EXACT = 2**53  # up to which float64 holds every whole number
_LARGEST = float(2**128 - 2**104)  # of float32, in which networks and rewards are


def require(name: str, value: float, least: float = 1, most: float = math.inf) -> None:
    """Raise ValueError, naming the option, unless `value` is a number from `least` to `most`."""
    if not (least <= value <= most and math.isfinite(value)):
        limit = f"at least {least:g}" if math.isinf(most) else f"{least:g} to {most:g}"
        raise ValueError(f"--{name} {value}: give {limit}")


def require_each(settings: Any, options: str, names: Sequence[str], least: float = 1, most: float = math.inf) -> None:
    """`require` of the fields `names` of `settings`, whose options begin with `options`, if with anything."""
    for name in names:
        require(".".join(filter(None, [options, name.replace("_", "-")])), getattr(settings, name), least, most)


def require_positive(name: str, value: float) -> None:
    """Raise ValueError, naming the option, unless `value` is finite and above 0."""
    if not 0 < value < math.inf:
        raise ValueError(f"--{name} {value}: give a positive number")


def require_numbers(settings: Any, named: Mapping[str, str]) -> None:
    """Raise ValueError, naming the option, where a number of a dataclass, however deep, is NaN, infinite or too large.

    Floats are too large beyond those of float32, which is what they are multiplied with.

    named: how options call a field where that is not its own name; "" where its fields are options themselves.
    """
    for path, value in _numbers(settings, ()):
        if isinstance(value, float) and not math.isfinite(value):
            problem = "give a finite number"
        elif abs(value) > (_LARGEST if isinstance(value, float) else _MOST):
            problem = "give a smaller number"
        else:
            continue
        names = [named.get(name, name) for name in path]
        option = ".".join(name.replace("_", "-") for name in names if name)
        shown = str(value) if isinstance(value, float) else f"of {len(str(abs(value)))} digits"
        raise ValueError(f"--{option} {shown}: {problem}")


def _numbers(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The numbers within `value`, each with the names of the fields that lead to it."""
    if isinstance(value, int | float):
        yield path, value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for each in dataclasses.fields(value):
            yield from _numbers(getattr(value, each.name), (*path, each.name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _numbers(item, path)


def shown(value: float) -> str:
    """A number for people: whole ones in full, others to twelve digits."""
    return f"{value:.16g}" if abs(value) < _EXACT and value == int(value) else f"{value:.12g}"


def to_plain_json(document: Any, **options: Any) -> str:
    """`document` as JSON, which has neither NaN nor infinity: both become null. options: those of `json.dumps`."""
    return json.dumps(_finite(document), allow_nan=False, **options)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
