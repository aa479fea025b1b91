"""Text tables that could be read as lists of links, and are something else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from graphwright.adapters.files.table import is_number
from graphwright.adapters.files.table_rows import TableRows
from graphwright.core import GraphError

_SURE = 5  # cells in a row from which on zeros along the diagonal are no chance
_SEVERAL = 2  # lines that begin alike
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))
_COMMENTS = ("//", ";", "--", "/*")
_DIMACS = re.compile(r"p\s+(edge|edges|col|sp|max|min|aux)\b.*")
_PAIR = re.compile(r".*\w[^\w]+\w.*")
_LINKS_OF_DIMACS = {"e", "a"}
_PLACES = {frozenset(pair) for pair in (("x", "y"), ("lat", "lon"), ("lat", "lng"), ("latitude", "longitude"))}


def refuse_arrows(rows: TableRows) -> None:
    """Raise GraphError where "->" or another sign without a letter or digit stands between all names."""
    if not rows.is_even or rows.width < 3:
        return
    sign = rows[0][1]
    if not any(map(str.isalnum, sign)) and set(rows.column(1)) == {sign}:
        raise GraphError(f"line {rows.lines[0]}: {sign!r} stands where a name is expected; write the two names alone")


def refuse_matrix(rows: TableRows) -> None:
    """Raise GraphError where `rows` are as many as their cells, all numbers, with zeros along the diagonal.

    Of so few rows that this may be chance, where they are symmetric too.
    """
    size = len(rows)
    if size < 3 or not rows.is_even or rows.width != size or not all(map(is_number, set(rows.cells))):
        return
    if any(float(rows[row][row].replace(",", ".")) for row in range(size)):
        return
    symmetric = all(rows[row][other] == rows[other][row] for row in range(size) for other in range(row))
    if symmetric or size >= _SURE:
        raise GraphError(
            f"may be a matrix of {size} nodes, which is read as Matrix Market (.mtx) only; "
            "if each line is a link, say --header no"
        )


def refuse_points(rows: TableRows) -> None:
    """Raise GraphError where the first line calls two columns of numbers x and y, or so, alone or beside a name."""
    first = [cell.lower() for cell in rows[0]]
    for place in (0, 1):
        if frozenset(first[place : place + 2]) not in _PLACES or len(rows) < 2 or rows.widths.min() < place + 2:
            continue
        points = rows.below()
        cells = {*points.column(place), *points.column(place + 1)}
        if all(map(is_number, cells)) and (place or not all(map(str.isdigit, cells))):
            one, other = rows[0][place : place + 2]
            told = f"line {points.lines[0]}: is a point with its {one} and {other}, by the first line, and not a link"
            remedy = "write points as .tsp, or as nodes with x and y in .json or .graphml"
            raise GraphError(f"{told}; {remedy}, or say --header yes if each line is a link")


def refuse_other_formats(comments: Sequence[str], lines: Sequence[int], texts: Sequence[str]) -> None:
    """Raise GraphError for Matrix Market, for DIMACS, and for comments of other languages."""
    if comments and comments[0].lower().startswith("%%matrixmarket"):
        raise GraphError("is Matrix Market, by its first line; call it .mtx")
    begin = {text[0] for text in texts}  # looked at once: a large file has millions of lines
    dimacs = _DIMACS.fullmatch if "p" in begin else None
    problem = dimacs and next((line for line, text in zip(lines, texts, strict=True) if dimacs(text)), None)
    if problem:
        raise GraphError(f"line {problem}: is DIMACS; call the file .col, or .gr where its links have lengths")
    comment = not begin.isdisjoint(one[0] for one in _COMMENTS)
    first = comment and next(
        (line for line, text in zip(lines, texts, strict=True) if text.startswith(_COMMENTS)), None
    )
    if first:
        raise GraphError(f"line {first}: comments begin with # or %; put one before it, or delete it")
    words = [text.split() for text in texts[:_SEVERAL]]
    if len(words) == _SEVERAL and all(map(_is_link_of_dimacs, words)):
        told = f"line {lines[0]}: {texts[0][:40]!r} is a line of DIMACS; call the file .col or .gr"
        raise GraphError(f"{told}, or say --header no if {words[0][0]!r} is a node")


def _is_link_of_dimacs(cells: Sequence[str]) -> bool:
    return len(cells) > 2 and cells[0] in _LINKS_OF_DIMACS and cells[1].isdigit() and cells[2].isdigit()


def refuse_brackets(rows: TableRows) -> None:
    """Raise GraphError where the first name of every line begins with a bracket that does not close there."""
    if len(rows) and all(map(_opens, rows.column(0))):
        told = f"line {rows.lines[0]}: brackets stand around {' '.join(rows[0])[:40]!r}"
        raise GraphError(f"{told}; write two names without brackets, blanks and commas, or .json")


def _opens(name: str) -> bool:
    return any(name.startswith(one) and name.count(one) > name.count(other) for one, other in _BRACKETS)


def refuse_lone_pairs(rows: TableRows, otherwise: str = "") -> None:
    """Raise GraphError where every line is one name, in which something that is no letter stands between two parts.

    otherwise: what to do where no nodes are joined.
    """
    if len(rows) and rows.width == 1 and all(map(_PAIR.fullmatch, rows.cells)):
        told = f"line {rows.lines[0]}: {rows.cells[0][:40]!r} is one name, and no line has two"
        raise GraphError(f"{told}; put a blank or a comma between names{otherwise}")


def alike(names: Iterable[str]) -> tuple[str, ...]:
    """A phrase where two names, as "2" and "2.0", are the same number and two nodes nevertheless."""
    known = set(names)
    odd = [name for name in known if (not name.isdigit() or name.startswith("0")) and name != "0" and is_number(name)]
    for name in sorted(odd):
        same = f"{float(name.replace(',', '.')):.15g}"
        if same != name and same in known:
            return (f"{same!r} and {name!r} are two nodes",)
    return ()
