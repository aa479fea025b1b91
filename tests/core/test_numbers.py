"""Numbers that are given are finite, and JSON has no others."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field

import pytest

from graphwright.core.numbers import require_numbers, shown, to_plain_json


@dataclass(frozen=True)
class Inner:
    low_rate: float = 0.5
    sizes: tuple[float, ...] = (1, 2.5)
    name: str = "nan"
    flag: bool = True
    nothing: float | None = None


@dataclass(frozen=True)
class Outer:
    inner: Inner = field(default_factory=Inner)
    spread: Inner = field(default_factory=Inner)
    count: int = 3


NAMED = {"inner": "ppo", "spread": ""}


def test_finite_numbers_pass() -> None:
    require_numbers(Outer(), NAMED)
    require_numbers(Outer(count=-(2**63) + 1), NAMED)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_each_other_is_refused_by_the_name_of_its_option(value: float) -> None:
    for settings, option in (
        (Outer(inner=Inner(low_rate=value)), "--ppo.low-rate"),
        (Outer(spread=Inner(low_rate=value)), "--low-rate"),
        (Outer(spread=Inner(sizes=(1, value))), "--sizes"),
        (Outer(inner=Inner(nothing=value)), "--ppo.nothing"),
    ):
        with pytest.raises(ValueError, match=f"^{option} {value}: give a finite number$"):
            require_numbers(settings, NAMED)


def test_numbers_of_more_than_64_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="--count of 30 digits: give a smaller number"):
        require_numbers(Outer(count=-(10**29)), {})


def test_json_has_no_nan_and_no_infinity() -> None:
    document = {"a": math.nan, "b": [math.inf, {"c": -math.inf}], "d": (1.5, None), "e": "NaN", "f": True, "g": 3}
    text = to_plain_json(document)
    assert json.loads(text, parse_constant=pytest.fail) == {
        "a": None, "b": [None, {"c": None}], "d": [1.5, None], "e": "NaN", "f": True, "g": 3
    }  # fmt: skip


def test_whole_numbers_are_shown_in_full_and_others_to_twelve_digits() -> None:
    assert [shown(value) for value in (16777217.0, 123456789012345.0, -3.0, 0.1 + 0.2, 1e300, math.inf, math.nan)] == [
        "16777217", "123456789012345", "-3", "0.3", "1e+300", "inf", "nan",
    ]  # fmt: skip
