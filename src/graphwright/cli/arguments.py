"""Words of a command line in the order that the parser needs, so that files may stand before and after options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_FLAGS = ("--undirected", "--json", "--trust", "--help", "-h", "--policy-only")
_MANY = ("--mark", "--instances", "--sizes", "--agents", "--maps", "--preference", "--focus")


def in_order(arguments: Sequence[str]) -> list[str]:
    """`arguments` of `solve`, `evaluate` and `transfer` with RUN and FILE first and all marks together at the end.

    Those of other commands stay as they are. A mark holds "=" and is no file; what stands after the marks is a file
    again.
    """
    if not arguments or arguments[0] not in ("solve", "evaluate", "transfer"):
        return list(arguments)
    first, options, marks = [], [], []
    words = list(arguments[1:])
    while words:
        word = words.pop(0)
        if word == "--":  # no option follows
            first += words
            break
        name, equals, value = word.partition("=")
        if not word.startswith("-") or word == "-":
            first.append(word)
        elif name == "--mark":
            marks += [value] if equals else [words.pop(0)] if words else []
            while not equals and words and _is_mark(words[0]):
                marks.append(words.pop(0))
        else:
            options.append(word)
            if not equals and not _is_flag(name) and words and not words[0].startswith("--"):
                options.append(words.pop(0))
                while name in _MANY and words and not words[0].startswith("--"):
                    options.append(words.pop(0))
    return [arguments[0], *first, *options, *(["--mark", *marks] if marks else [])]


def _is_flag(name: str) -> bool:
    """Whether `name` is a switch, said either way: --json or --no-json."""
    return name.replace("--no-", "--", 1) in _FLAGS


def _is_mark(word: str) -> bool:
    return "=" in word and not word.startswith("-") and not Path(word).is_file()


def option_of(words: Sequence[str], option: str) -> str | None:
    """What follows `option`, wherever among `words`; None where it is not there.

    Raises ValueError where nothing follows it but the next option.
    """
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == option:
            value = value if equals else next(iter(words[place + 1 :]), "")
            if not value or (not equals and value.startswith("--")):
                raise ValueError(f"{option}: give a value")
            return value
    return None


def is_on(words: Sequence[str], switch: str) -> bool:
    """Whether `words` turn on `switch`, which is off by default, as --trust: of it and --no-trust the last counts."""
    ways = {switch: True, f"--no-{switch.removeprefix('--')}": False}
    return next((ways[word] for word in reversed(words) if word in ways), False)


def is_given(words: Sequence[str], option: str) -> bool:
    """Whether `option` is among `words`."""
    return any(word.partition("=")[0] == option for word in words)


def asks_for_help(words: Sequence[str]) -> bool:
    """Whether the options of the command are asked for."""
    return is_given(words, "--help") or is_given(words, "-h")
