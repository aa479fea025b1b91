"""What the parser of the command line complains of, in one line of plain words."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from graphwright.training.config import ConfigError

_PLAIN: dict[str, str | Callable[[re.Match[str]], str]] = {
    r"^Error parsing (--\S+): no type matching (.+?) could be instantiated from \['?(.*?)'?\]\..*": lambda found: (
        f"{found[1]} {found[3]}: give {_kind(found[2])}".replace("', '", " ")
    ),
    r"^Error parsing (--\S+): invalid literal for int\(\) with base 10: '(.*)'": r"\1 \2: give a whole number",
    r"^Error parsing (--\S+): could not convert string to float: '(.*)'": r"\1 \2: give a number",
    r"^invalid choice '(.*)' for argument '(.*?)'\. Expected one of \((.*)\)\.?$": lambda found: (
        f"{found[2] + ' ' if found[2].startswith('-') else ''}{found[1]}: choose {_choices(found[3])}"
    ),
    r"^Missing value for argument '(.*?)'\..*": r"\1: give a value",
}
"""What the parser says of a value → the same in plain words."""


def one_line(complaint: str) -> str:
    """The text inside the parser's box, or between its rules where it draws none, and what it would have understood."""
    inside = [line.strip("│ ") for line in complaint.splitlines() if line.startswith("│")]
    text = " ".join(inside).split("─")[0]
    if not text and len(between := re.split(r"\s*-{5,}\s*", complaint)) > 1:
        text = between[1]
    text = re.sub(r"^Error parsing ((?!--)\S+: |\S+: (?=--))", "", text or complaint)  # a name nobody typed, or twice
    text = re.sub(r"__tyro-dummy-inner__\.(config\.|options\.)?", "--", text)
    text = re.sub(r"\s+", " ", text).strip()
    for said, plain in _PLAIN.items():
        text = re.sub(said, plain, text)
    meant = re.findall(r"^[│ ]*(--[a-z][\w.-]*)", complaint.partition("Perhaps you meant:")[2], re.MULTILINE)
    if meant:
        text += f"; did you mean {' or '.join(dict.fromkeys(meant[:2]))}?"
    return text + "; see --help"


def of_the_run(arguments: Sequence[str]) -> str | None:
    """What to say where an option is given that only training has."""
    if (
        arguments
        and arguments[0] in ("evaluate", "transfer", "sample", "solve", "resume", "match", "play")
        and "--policy" not in arguments
    ):
        for word in arguments[1:]:
            if re.match(r"--[a-z-]+\.", word):
                option, file = word.partition("=")[0], "config.json"
                return (
                    f"{option}: is a setting of the run, which stands in its {file}; only `graphwright train` takes it"
                )
    return None


def largest(arguments: Sequence[str]) -> str:
    """The option with the most digits, and the one before it, which names it."""
    place = max(range(len(arguments)), key=lambda index: sum(map(str.isdigit, arguments[index])))
    return " ".join(arguments[max(place - 1, 0) : place + 1])


def require_values(command: Any, words: Sequence[str]) -> None:
    """Raise ConfigError where an option that takes a list stands without any value, which the parser lets pass."""
    empty = set(_empty_lists(command))
    for word, following in zip(words, [*words[1:], "--"], strict=False):
        name = word.removeprefix("--").rpartition(".")[2].replace("-", "_")
        if word.startswith("--") and following.startswith("--") and {"agents": "sizes"}.get(name, name) in empty:
            raise ConfigError(f"{word}: give at least one value, or leave it out")


def _empty_lists(settings: Any) -> Iterator[str]:
    """The names of the fields, at any depth, that hold no values."""
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, tuple) and not value:
            yield field.name
        elif dataclasses.is_dataclass(value):
            yield from _empty_lists(value)


def _kind(metavar: str) -> str:
    """`{None}|INT` and the like in words."""
    wanted = metavar.removeprefix("{None}|")
    for name, one, many in (("INT", "a whole number", "whole numbers"), ("FLOAT", "a number", "numbers")):
        if name in wanted:
            return many if "[" in wanted else one
    return wanted


def _choices(shown: str) -> str:
    names = sorted(name.strip(" '") for name in shown.split(",") if name.strip(" '") not in ("", "None"))
    return f"one of {', '.join(names)}" if len(names) > 1 else "".join(names)
