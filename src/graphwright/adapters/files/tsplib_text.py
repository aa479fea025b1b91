"""The text of TSPLIB files: lines 'KEYWORD : value', then sections of data, then perhaps EOF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphwright.adapters.files.counted import whole
from graphwright.adapters.files.text import numbered_lines
from graphwright.core import GraphError

Values = dict[str, tuple[int, str]]
Rows = list[tuple[int, list[str]]]


def parse(
    data: bytes, keywords: Mapping[str, tuple[str, ...]], sections: Sequence[str]
) -> tuple[Values, dict[str, Rows]]:
    """The lines of `data`: for each keyword its line number and value, and the numbered words of each section.

    keywords: those that may stand, and the values that each may have (their first words); any if none are given.
    sections: those that may stand, the first of which is what a file without any lacks.

    Raises GraphError, naming the line, for keywords, values and sections besides these.
    """
    values: Values = {}
    found: dict[str, Rows] = {}
    rows: Rows | None = None
    ended = False
    for line, text in numbered_lines(data):
        try:
            if ended:
                raise GraphError("comes after EOF; delete it")
            ended = text == "EOF"
            title = text.rstrip(": ")
            if title in sections and title not in found:
                rows = found[title] = []
            elif ":" in text:
                keyword, value = (part.strip() for part in text.split(":", 1))
                _check(values, keywords, keyword, value)
                values[keyword] = line, value
            elif rows is not None and not text[0].isalpha():
                rows.append((line, text.split()))
            elif not ended:
                raise GraphError(f"{text[:40]!r} cannot be read; write 'KEYWORD : value', or data below {sections[0]}")
        except GraphError as error:
            raise GraphError(f"line {line}: {error}") from error
    if not found:
        raise GraphError(f"has no {sections[0]}; add it")
    return values, found


def _check(values: Values, keywords: Mapping[str, tuple[str, ...]], keyword: str, value: str) -> None:
    if keyword not in keywords:
        raise GraphError(f"{keyword[:40]!r} cannot be read; these can: {', '.join(keywords)}")
    if keyword in values and keyword != "COMMENT":
        raise GraphError(f"{keyword} once more, after line {values[keyword][0]}; keep one")
    known = keywords[keyword]
    if known and value.split()[:1] not in [[word] for word in known]:
        raise GraphError(f"{keyword} {value[:40]!r} cannot be read; {' or '.join(known)} can")


def value_of(values: Values, keyword: str) -> tuple[int, str]:
    """Line number and value of a keyword that must be there. Raises GraphError if it is not."""
    if keyword not in values:
        raise GraphError(f"has no line '{keyword} : ...'; add it")
    return values[keyword]


def check_dimension(line: int, value: str, found: int) -> None:
    """Raise GraphError unless the DIMENSION of `line` is `value`, the number of nodes `found` below it."""
    try:
        said = whole(value)
    except GraphError as error:
        raise GraphError(f"line {line}: {error}") from error
    if said != found:
        raise GraphError(
            f"line {line}: says {said} nodes, but the file has {found}; "
            "correct the number, or complete the file if it was cut off"
        )
