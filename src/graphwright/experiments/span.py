"""The values of an option that a sweep tries, as `--over` names them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from graphwright.training.config import ConfigError


@dataclass(frozen=True)
class Span:
    """The values of an option that are tried: from low to high, or one of `choices`. log: evenly by logarithms."""

    option: str
    low: float = 0
    high: float = 0
    log: bool = False
    choices: tuple[str | int | float | bool, ...] = ()

    def ends(self) -> tuple[str | int | float | bool, ...]:
        """The values that have to make sense: all that may be chosen, or the lowest and the highest."""
        return self.choices or (self.low, self.high)

    def draw(self, trial: Any) -> Any:
        """A value for `trial`: an integer where both ends are."""
        if self.choices:
            return trial.suggest_categorical(self.option, list(self.choices))
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        suggest = trial.suggest_int if whole else trial.suggest_float
        return suggest(self.option, self.low, self.high, log=self.log)


def parse_span(text: str) -> Span:
    """`encoder.depth=2..5`, `ppo.learning-rate=1e-4..1e-2:log` or `encoder.kind=gcn,gin`. Raises ConfigError."""
    option, _, values = text.partition("=")
    option = option.removeprefix("--")
    if not option or not values:
        raise ConfigError(f"--over {text}: write OPTION=LOW..HIGH, with :log for logarithms, or OPTION=A,B,C")
    if ".." not in values:
        return Span(option, choices=tuple(map(_choice, values.split(","))))
    ends, _, law = values.partition(":")
    first, _, second = ends.partition("..")
    try:
        low, high = _number(first), _number(second)
    except ValueError:
        raise ConfigError(f"--over {text}: {first} or {second} is no number") from None
    if law not in ("", "log") or not low < high or (law and low <= 0):
        raise ConfigError(f"--over {text}: give a lower and a higher number, both positive with :log, the only law")
    return Span(option, low, high, law == "log")


def _choice(text: str) -> str | int | float | bool:
    """One of several values: a number, true or false, or a name."""
    if text in ("true", "false"):
        return text == "true"
    try:
        return _number(text)
    except ValueError:
        return text


def _number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        if not math.isfinite(value := float(text)):
            raise
        return value
