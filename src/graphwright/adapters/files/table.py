"""From the lines of a text table to cells: what stands between them is found out from all lines together."""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from graphwright.adapters.files.table_rows import TableRows
from graphwright.adapters.numbers import number
from graphwright.core import GraphError

_NAMES = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", " ": "blanks"}
_BETWEEN_WORDS = re.compile(r"[\s;|,]")
_COMMA_INSIDE = re.compile(r"[^,]+,[^,]+")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+")
_QUOTED_CELL = re.compile(r'(?<![^\s;|,])"(?:[^"]|"")*"(?![^\s;|,])')
_QUOTED_WORD = re.compile(r'"((?:[^"]|"")*)"(?!\S)|(\S+)')
_SINGLE_QUOTES = re.compile(r"(?<!\S)'([^'\s][^']*\s[^']*)'(?!\S)")
_ATTRIBUTES = re.compile(r"^(.*?)[,;\s]*(\{.*\})$")


class TextTable(NamedTuple):
    """Cells, and what stands between them, in a word."""

    rows: TableRows
    delimiter: str


def split_table(
    lines: Sequence[int], texts: Sequence[str], *, comma_first: bool, delimiter: str | None = None
) -> TextTable:
    """The cells of `texts`, without blanks around them, which stand in the file's `lines`.

    Tabs, semicolons, bars and commas count if every line has one or is a single word; otherwise cells stand between
    blanks, and a comma is a part of a name. What stands between double quotes is one cell, whatever is in it, and a
    quote in it stands twice; only between the blanks of our own files is a quote a letter. comma_first: how to take a
    line such as "a,b c,d", which is good either way: at its comma, or at its blank. delimiter: the word for what stands
    there, where the file says it. Raises GraphError, naming the line, for a quote that does not end.
    """
    mark = next((mark for mark, name in _NAMES.items() if name == delimiter), " ")
    whole = "\n".join(texts)
    quoted = '"' in whole
    if delimiter is None:
        bare = [_QUOTED_CELL.sub("_", text) for text in texts] if quoted else texts
        mark = next((mark for mark in "\t;|" if mark in whole and _everywhere(bare, mark)), " ")
        if mark == " " and "," in whole and _everywhere(bare, ",") and not _commas_are_inside(bare, comma_first):
            mark = ","
        if mark == " " and "'" in whole:
            _refuse_single_quotes(lines, texts)
    split = _split_at(mark, quoted=quoted and not (mark == " " and delimiter), commented="#" in whole)
    cells: list[str] = []
    ptr = array("q", [0])
    names: dict[str, str] = {}  # each name is held once, however often it stands there
    for line, text in zip(lines, texts, strict=True):
        try:
            row = split(text)
        except csv.Error as error:
            told = f"line {line}: malformed quotes ({error}); a quoted name ends with a quote on the same line"
            raise GraphError(told) from error
        ends = row[:2]
        row[:2] = map(names.setdefault, ends, ends)
        cells += row
        ptr.append(len(cells))
    return TextTable(TableRows(lines, cells, np.array(ptr)), _NAMES[mark])


def split_attributes(texts: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """`texts` without what networkx writes after each link, {} or {'weight': 3}, and that; None if one has none."""
    if not texts or not all(text.endswith("}") for text in texts):
        return None
    found = [match for match in map(_ATTRIBUTES.match, texts) if match]
    return ([match[1] for match in found], [match[2] for match in found]) if len(found) == len(texts) else None


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


def _everywhere(texts: Sequence[str], mark: str) -> bool:
    """Whether `mark` stands in every line that is more than a word, and in one at least."""
    there = any(mark in text for text in texts)
    return there and all(mark in text or not _BETWEEN_WORDS.search(text) for text in texts)


def _has_blank(text: str) -> bool:
    return len(text.split(None, 1)) > 1


def _commas_are_inside(texts: Sequence[str], comma_first: bool) -> bool:
    """Whether the commas of lines that all have one are those of names ("Doe,J Roe,R") or of numbers ("a b 0,5")."""
    if not all(map(_has_blank, texts)):
        return False
    words = [text.split() for text in texts]
    if all(len(cells) == 3 and "," not in cells[0] + cells[1] and is_number(cells[2]) for cells in words):
        return True
    if comma_first or any(is_number(cell) for cells in words for cell in ",".join(cells[:2]).split(",")[2:]):
        return False
    return all(len(cells) in (2, 3) and all(_COMMA_INSIDE.fullmatch(cell) for cell in cells[:2]) for cells in words)


def _split_at(mark: str, *, quoted: bool, commented: bool) -> Callable[[str], list[str]]:
    """What splits a line into cells. quoted: whether there are quotes around some; commented: whether # is anywhere."""
    if mark == " ":
        return _quoted_words if quoted else _between_blanks if commented else str.split

    def split(text: str) -> list[str]:
        found = _csv_row(text, mark) if quoted else text.split(mark)
        cells = [cell.strip() for cell in found]
        while cells and not cells[-1]:
            cells.pop()
        return cells

    return split


def _csv_row(text: str, mark: str) -> list[str]:
    return next(csv.reader([text], delimiter=mark, skipinitialspace=True, strict=True), [])


def _between_blanks(text: str) -> list[str]:
    cells = text.split()
    comment = next((place for place, cell in enumerate(cells) if cell.startswith("#")), len(cells))
    return cells[:comment]


def _quoted_words(text: str) -> list[str]:
    cells: list[str] = []
    for match in _QUOTED_WORD.finditer(text):
        if match[1] is not None:
            cells.append(match[1].replace('""', '"').strip())
        elif match[2].startswith('"'):
            raise csv.Error(f"{match[2]!r} begins with one")
        elif match[2].startswith("#"):
            break
        else:
            cells.append(match[2])
    return cells


def _refuse_single_quotes(lines: Sequence[int], texts: Sequence[str]) -> None:
    """Raise GraphError, naming the line, where a name with a blank seems to stand between them."""
    for line, text in zip(lines, texts, strict=True):
        if "'" in text and (found := _SINGLE_QUOTES.search(text)):
            told = f"line {line}: {found[0]} has a blank, and single quotes are letters of names here"
            raise GraphError(f'{told}; write "{found[1]}" with double quotes')
