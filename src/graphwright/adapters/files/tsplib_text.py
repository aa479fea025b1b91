"""The text of TSPLIB files: lines 'KEYWORD : value', then one section of data, then perhaps EOF."""

from __future__ import annotations

from collections.abc import Mapping

from graphwright.adapters.files.text import numbered_lines
from graphwright.core import GraphError

Values = dict[str, tuple[int, str]]
Rows = list[tuple[int, list[str]]]


def parse(data: bytes, keywords: Mapping[str, tuple[str, ...]], section: str) -> tuple[Values, Rows]:
    """The lines of `data`: for each keyword its line number and value, and the numbered words of the section.

    keywords: those that may stand, and the values that each may have (their first words); any if none are given.

    Raises GraphError, naming the line, for keywords, values and sections besides these.
    """
    values: Values = {}
    rows: Rows = []
    begun = ended = False
    for line, text in numbered_lines(data):
        try:
            if ended:
                raise GraphError("comes after EOF; delete it")
            ended = text == "EOF"
            if text.rstrip(": ") == section and not begun:
                begun = True
            elif ":" in text:
                keyword, value = (part.strip() for part in text.split(":", 1))
                _check(values, keywords, keyword, value)
                values[keyword] = line, value
            elif begun and not text[0].isalpha():
                rows.append((line, text.split()))
            elif not ended:
                raise GraphError(f"{text[:40]!r} cannot be read; write 'KEYWORD : value', or data below {section}")
        except GraphError as error:
            raise GraphError(f"line {line}: {error}") from error
    if not begun:
        raise GraphError(f"has no {section}; add it")
    return values, rows


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
