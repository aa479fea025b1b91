"""What the first line of a text table is: a link, a header of names, or counts such as "N M"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple, NoReturn

from graphwright.adapters.files.table import Rows, is_number
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
_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")


class LinesBelow(NamedTuple):
    """The lines after the first: their rows of two cells and more, and whether all nodes are whole numbers."""

    rows: list[list[str]]
    whole: bool

    @property
    def nodes(self) -> list[int]:
        """The numbers of the nodes, where they are `whole`."""
        return [int(cell) for row in self.rows for cell in row[:2]]


def kind_of_first_line(rows: Rows) -> Header:
    """What the first of `rows` is, by the evidence of all the others. Raises GraphError where that leaves it open."""
    if len(rows) < 2:
        return "no"
    line, first = rows[0]
    body = [row for _, row in rows[1:]]
    links = [row for row in body if len(row) > 1]
    whole = all(_WHOLE.fullmatch(cell) for row in body for cell in row[:2])
    if not links:
        return "yes" if ends_of(first) and len(first) > 1 else "no"
    if whole and all(_WHOLE.fullmatch(cell) for cell in first):
        return _counts(line, [int(cell) for cell in first], LinesBelow(links, whole), lone=len(links) < len(body))
    return _names(line, first, LinesBelow(links, whole))


def ends_of(header: Sequence[str]) -> tuple[int, int] | None:
    """The places of the two columns of nodes in a header that names them in a known way."""
    names = [cell.lower() for cell in header]
    for one, other in ENDS:
        if one in names and other in names:
            return names.index(one), names.index(other)
    return None


def _names(line: int, first: list[str], links: LinesBelow) -> Header:
    """Whether the first line, not all of whole numbers, is a header."""
    known = {cell for row in links.rows for cell in row[:2]}
    if first == [str(len(known)), str(len(links.rows))]:
        return "counts"
    if any(is_number(cell) for cell in first):
        return "no"
    if links.whole and len(first) > 1:
        return "yes"  # names above numbers
    if links.whole:
        _ask(line, " ".join(first), "may be a header or a node", "yes", "no")
    if len(first) > 2 and all(is_number(row[2]) for row in links.rows if len(row) > 2 and row[2]):
        return "yes"  # a word above weights
    if len(first) < 2:
        return "no"
    ends = ends_of(first)
    if ends is not None:
        if first[ends[0]] in known or first[ends[1]] in known:
            _ask(line, " ".join(first), "may be a header or a link, as its names come again", "yes", "no")
        return "yes"
    if not known & set(first[:2]) and all(_WORD.fullmatch(cell) for cell in first) and _joined(links.rows):
        _ask(line, " ".join(first), "may be a header or a link, as its names do not come again", "yes", "no")
    return "no"


def _joined(rows: list[list[str]]) -> bool:
    """Whether each of several links shares a node with another."""
    times: dict[str, int] = {}
    for row in rows:
        for cell in row[:2]:
            times[cell] = times.get(cell, 0) + 1
    return len(rows) > 1 and all(times[row[0]] > 1 or times[row[1]] > 1 for row in rows)


def _counts(line: int, first: list[int], links: LinesBelow, lone: bool) -> Header:
    """Whether the first line, of whole numbers, counts nodes and links."""
    nodes, said = links.nodes, " ".join(map(str, first))
    most, base, found = max(nodes), min(nodes), len(links.rows)
    size = first[0]
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
    twice = 2 * found == first[1] or (found == 2 * first[1] and _each_both_ways(links.rows))
    if first[1] != found and not twice:
        cut = size == most + (base == 0) and first[1] > max(found, size) and first[1] not in nodes
        if cut:
            _ask(line, said, f"may count nodes and links, but {found} links follow", "counts", "no")
        return "no"
    if first[1] not in nodes or size not in nodes or _widths(links.rows) != {len(first)}:
        return "counts"
    pairs = [tuple(map(int, row[:2])) for row in links.rows]
    rising = all(one < other for one, other in pairs)
    if (size, first[1]) in pairs or (first[1], size) in pairs or (rising and size > first[1]):
        return "counts"
    _ask(line, said, "may be a link or count nodes and links", "counts", "no")


def _each_both_ways(rows: list[list[str]]) -> bool:
    pairs = {(row[0], row[1]) for row in rows}
    return all((other, one) in pairs for one, other in pairs)


def _widths(rows: list[list[str]]) -> set[int]:
    return {len(row) for row in rows}


def _ask(line: int, said: str, what: str, *answers: str) -> NoReturn:
    options = " or ".join(f"--header {answer}" for answer in answers)
    raise GraphError(f"line {line}: {said[:40]!r} {what}; say {options}")
