"""From the lines of a text table to cells: what stands between them is found out from all lines together."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import NamedTuple

from graphwright.adapters.numbers import number
from graphwright.core import GraphError

Rows = list[tuple[int, list[str]]]
"""The number of each line and its cells, the empty ones at its end left out."""

_NAMES = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", " ": "blanks"}
_BETWEEN_WORDS = re.compile(r"[\s;|,]")
_COMMA_INSIDE = re.compile(r"[^,]+,[^,]+")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+")
_ATTRIBUTES = re.compile(r"^(.*?)[,;\s]*(\{.*\})$")


class TextTable(NamedTuple):
    """Cells, and what stands between them, in a word."""

    rows: Rows
    delimiter: str


def split_table(lines: Sequence[tuple[int, str]], *, comma_first: bool, delimiter: str | None = None) -> TextTable:
    """The cells of `lines` (number, text without blanks around it).

    Tabs, semicolons, bars and commas count if every line has one or is a single word; otherwise cells stand between
    blanks, and a comma is a part of a name. comma_first: how to take a line such as "a,b c,d", which is good either
    way: at its comma, or at its blank. delimiter: the word for what stands there, where the file says it. Raises
    GraphError, naming the line, for a quote that does not end.
    """
    mark = next((mark for mark, name in _NAMES.items() if name == delimiter), None)
    mark = mark or next((mark for mark in "\t;|" if _everywhere(lines, mark)), " ")
    if delimiter is None and mark == " " and _everywhere(lines, ",") and not _commas_are_inside(lines, comma_first):
        mark = ","
    rows = []
    for line, text in lines:
        try:
            rows.append((line, _cells(text, mark)))
        except csv.Error as error:
            told = f"line {line}: malformed CSV ({error}); a quoted name ends with a quote on the same line"
            raise GraphError(told) from error
    return TextTable(rows, _NAMES[mark])


def split_attributes(lines: Sequence[tuple[int, str]]) -> tuple[list[tuple[int, str]], list[str]] | None:
    """`lines` without what networkx writes after each link, {} or {'weight': 3}, and that; None if one has none."""
    if not lines or not all(text.endswith("}") for _, text in lines):
        return None
    found = [(line, _ATTRIBUTES.match(text)) for line, text in lines]
    if not all(match for _, match in found):
        return None
    return [(line, match[1]) for line, match in found if match], [match[2] for _, match in found if match]


def decimal_commas(cells: Sequence[str]) -> bool:
    """Whether the numbers in a column of `cells` have decimal commas.

    Raises GraphError where a comma may as well stand between thousands.
    """
    with_comma = [cell for cell in cells if "," in cell]
    if not with_comma or not all(_DECIMAL_COMMA.fullmatch(cell) or _THOUSANDS.fullmatch(cell) for cell in with_comma):
        return False
    if all(_THOUSANDS.fullmatch(cell) for cell in with_comma):
        raise GraphError(
            f"{with_comma[0]!r} may be a number of thousands or have a decimal comma; write numbers with a point"
        )
    if any("." in cell for cell in cells) or not all(_DECIMAL_COMMA.fullmatch(cell) for cell in with_comma):
        raise GraphError(f"{with_comma[0]!r} has a comma and other numbers a point; write all with a point")
    return True


def is_number(cell: str) -> bool:
    """Whether `cell` is a finite number, written with a point or a comma."""
    try:
        number(cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell)
    except GraphError:
        return False
    return True


def _everywhere(lines: Sequence[tuple[int, str]], mark: str) -> bool:
    """Whether `mark` stands in every line that is more than a word, and in one at least."""
    return any(mark in text for _, text in lines) and all(
        mark in text or not _BETWEEN_WORDS.search(text) for _, text in lines
    )


def _has_blank(text: str) -> bool:
    return len(text.split(None, 1)) > 1


def _commas_are_inside(lines: Sequence[tuple[int, str]], comma_first: bool) -> bool:
    """Whether the commas of lines that all have one are those of names ("Doe,J Roe,R") or of numbers ("a b 0,5")."""
    words = [text.split() for _, text in lines if _has_blank(text)]
    if len(words) < len(lines) or not words:
        return False
    if all(len(cells) == 3 and "," not in cells[0] + cells[1] and is_number(cells[2]) for cells in words):
        return True
    if comma_first or any(is_number(cell) for cells in words for cell in ",".join(cells[:2]).split(",")[2:]):
        return False
    return all(len(cells) in (2, 3) and all(_COMMA_INSIDE.fullmatch(cell) for cell in cells[:2]) for cells in words)


def _cells(text: str, mark: str) -> list[str]:
    if mark == " ":
        cells = text.split()
        if "#" not in text:
            return cells
        comment = next((place for place, cell in enumerate(cells) if cell.startswith("#")), len(cells))
        return cells[:comment]
    cells = [cell.strip() for cell in next(csv.reader([text], delimiter=mark, skipinitialspace=True, strict=True), [])]
    while cells and not cells[-1]:
        cells.pop()
    return cells
