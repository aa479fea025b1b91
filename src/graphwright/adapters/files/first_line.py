"""What the first line of a text table is: a link, a header of names, or counts such as "N M"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence, Set
from typing import Literal, NoReturn

import numpy as np

from graphwright.adapters.files.table import is_number
from graphwright.adapters.files.table_rows import TableRows
from graphwright.adapters.numbers import many_numbers
from graphwright.core import GraphError

Header = Literal["yes", "no", "counts"]
"""Whether the first line is a header, a link, or counts of nodes and links."""

ENDS = {
    ("source", "target"),
    ("from", "to"),
    ("src", "dst"),
    ("source_id", "target_id"),
    ("sourceid", "targetid"),
    ("from_id", "to_id"),
    ("from_node", "to_node"),
    ("fromnodeid", "tonodeid"),
    ("node1", "node2"),
    ("node_1", "node_2"),
    ("id1", "id2"),
    ("id_1", "id_2"),
    ("vertex1", "vertex2"),
    ("parent", "child"),
    ("head", "tail"),
    ("tail", "head"),
}
"""Names of the two columns of nodes, in small letters."""

_WORD = re.compile(r"[^\W\d_][\w .-]+")
_NO_TITLE = re.compile(r"[+-]?(nan|inf|infinity|n/?a|null|none|missing)|\W*\d.*|\W+", re.IGNORECASE)
WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")
"""The spelling of a whole number that is the only one of it."""


def kind_of_first_line(rows: TableRows) -> Header:
    """What the first of `rows` is, by the evidence of all the others. Raises GraphError where that leaves it open."""
    if len(rows) < 2:
        return "no"
    line, first, body = rows.lines[0], rows[0], rows.below()
    links = body.select(body.widths > 1)
    whole = all(map(WHOLE.fullmatch, set(body.ends())))
    if not len(links):
        return "yes" if ends_of(first) and len(first) > 1 else "no"
    if whole and all(map(WHOLE.fullmatch, first)):
        return _counts(line, [int(cell) for cell in first], links, lone=len(links) < len(body))
    return _names(line, first, links, whole)


def ends_of(header: Sequence[str]) -> tuple[int, int] | None:
    """The places of the two columns of nodes in a header that names them in a known way."""
    names = [cell.lower() for cell in header]
    for one, other in ENDS:
        if one in names and other in names:
            return names.index(one), names.index(other)
    return None


def _names(line: int, first: list[str], links: TableRows, whole: bool) -> Header:
    """Whether the first line, not all of whole numbers, is a header; whole: whether all nodes below it are numbers."""
    known = set(links.ends())
    if first == [str(len(known)), str(len(links))]:
        return "counts"
    if any(is_number(cell) for cell in first) or any(map(_NO_TITLE.fullmatch, first[2:])):
        return "no"
    if whole and len(first) > 1:
        return "yes"  # names above numbers
    if whole:
        _ask(line, " ".join(first), "may be a header or a node", "yes", "no")
    ends = ends_of(first)
    above = len(first) > 2 and _are_numbers(set(links.column(2)) - {""})  # a word above weights
    if len(first) < 2 or not (above or ends):
        return _all_words(line, first, links, known)
    one, other = ends or (0, 1)
    if first[one] in known or first[other] in known:
        _ask(line, " ".join(first), "may be a header or a link, as its names come again", "yes", "no")
    return "yes"


def _all_words(line: int, first: list[str], links: TableRows, known: set[str]) -> Header:
    """The same where no cell says it: all are words, or there is only one."""
    if len(first) < 2:
        return "no"
    if not known & set(first[:2]) and all(map(_WORD.fullmatch, first)) and _joined(links):
        _ask(line, " ".join(first), "may be a header or a link, as its names do not come again", "yes", "no")
    return "no"


def _are_numbers(cells: Set[str]) -> bool:
    return many_numbers(list(cells)) is not None or all(map(is_number, cells))


def _joined(links: TableRows) -> bool:
    """Whether each of several links shares a node with another."""
    times = Counter(links.ends())
    pairs = zip(links.column(0), links.column(1), strict=True)
    return len(links) > 1 and all(times[one] > 1 or times[other] > 1 for one, other in pairs)


def _counts(line: int, first: list[int], links: TableRows, lone: bool) -> Header:
    """Whether the first line, of whole numbers, counts nodes and links; all nodes of `links` are whole numbers."""
    one, other = (np.array(list(map(int, links.column(place))), dtype=np.int64) for place in (0, 1))
    said = " ".join(map(str, first))
    most, base = int(max(one.max(), other.max())), int(min(one.min(), other.min()))
    found, size = len(links), first[0]
    if size < most + (base == 0):
        return "no"
    if len(first) == 1:
        if lone or size < 2:
            return "no"
        if size in (most, most + (base == 0)):
            return "counts"
        _ask(line, said, "may be a node or how many there are", "counts", "no")
    if len(first) > 2 and first[0] == first[1] and first[2] == found:
        return "counts"

    def is_node(number: int) -> bool:
        return bool((one == number).any() or (other == number).any())

    twice = 2 * found == first[1] or (found == 2 * first[1] and _each_both_ways(links))
    if first[1] != found and not twice:
        cut = size == most + (base == 0) and first[1] > max(found, size) and not is_node(first[1])
        if cut:
            _ask(line, said, f"may count nodes and links, but {found} links follow", "counts", "no")
        return "no"
    if not is_node(first[1]) or not is_node(size) or bool((links.widths != len(first)).any()):
        return "counts"
    again = ((one == size) & (other == first[1])) | ((one == first[1]) & (other == size))
    if again.any() or ((one < other).all() and size > first[1]):
        return "counts"
    _ask(line, said, "may be a link or count nodes and links", "counts", "no")


def _each_both_ways(links: TableRows) -> bool:
    pairs = set(zip(links.column(0), links.column(1), strict=True))
    return all((other, one) in pairs for one, other in pairs)


def _ask(line: int, said: str, what: str, *answers: str) -> NoReturn:
    options = " or ".join(f"--header {answer}" for answer in answers)
    raise GraphError(f"line {line}: {said[:40]!r} {what}; say {options}")
