"""What stands beside the ends of the links of an edge list: numbers, attributes, a direction."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch

from graphwright.adapters.columns import Row, left_out, number_column, to_columns
from graphwright.adapters.files.table import decimal_commas, is_number
from graphwright.adapters.files.table_rows import TableRows
from graphwright.adapters.numbers import many_numbers, number
from graphwright.core import GraphError

_NO_WEIGHT = {
    "id",
    "key",
    "index",
    "unnamed: 0",
    "time",
    "timestamp",
    "date",
    "year",
    "label",
    "type",
    "source",
    "target",
}
_WEIGHTS = ("weight", "weights")
_DEEPEST, _WIDEST = 20, 100
_FEW_CELLS, _MOST_GAPS = 1 << 16, 16  # of columns under a header: for any file, and for each cell that it holds


class Beside(NamedTuple):
    """What stands beside the ends of each link."""

    columns: Mapping[str, torch.Tensor]
    weight: str | None = None
    directed: bool | None = None
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def numbers_beside(names: Sequence[str], links: TableRows) -> Beside:
    """The columns beside the ends of each link: numbers, and what is told of the others."""
    width, widths = links.width, links.widths
    if not names and width > _WIDEST:
        line = links.first(widths > _WIDEST)
        raise GraphError(f"line {line}: over {_WIDEST} cells; an edge list has two names and a few numbers a line")
    if not names and width > 3 and not links.is_even:
        other = int((widths != widths[0]).argmax())
        told = f"line {links.lines[other]}: some links have {widths[0]} cells and this one {widths[other]}"
        raise GraphError(f"{told}; give all the same, put a header above them, or write .json, .graphml or .npz")
    if names and width > len(names):
        line = links.first(widths > len(names))
        raise GraphError(f"line {line}: {width} cells under a header of {len(names)}; correct the line or the header")
    titles = [*names, *(f"column{place + 1}" for place in range(len(names), width))][2:]
    if len(titles) * len(links) > max(_FEW_CELLS, _MOST_GAPS * len(links.cells)):
        raise GraphError(f"{len(titles)} columns, most of which are empty; keep those that are needed")
    _require_one_weight(titles)
    columns: dict[str, torch.Tensor] = {}
    ignored: list[str] = []
    directed: bool | None = None
    notes: list[str] = []
    for place, title in enumerate(titles, start=2):
        cells = links.column(place)
        if (
            title.lower() == "type"
            and (said := {cell.lower() for cell in cells}) <= {"directed", "undirected"}
            and said
        ):
            directed = _direction(said)
            continue
        if not any(cells):
            continue
        if not any(map(_like_number, cells)) and title.lower() not in _WEIGHTS:
            ignored.append(f"column {title!r}")
            continue
        if place == 2 and "" in cells and not (names and len(titles) > 1):
            line = links.lines[_first_other(cells)]
            raise GraphError(
                f"line {line}: some links have a weight and this one differs; give every link one, or none"
            )
        if title in columns:
            raise GraphError(f"two columns are called {title!r}; rename one")
        columns[title] = _values(links, cells, title, notes)
    weight = _weight_of(list(columns), headed=bool(names))
    if weight is not None and weight != "weight":
        columns["weight"] = columns[weight] if names else columns.pop(weight)
    shown = weight if names or weight is None else "column 3"
    return Beside(columns, shown, directed, tuple(ignored), tuple(notes))


def _require_one_weight(titles: Sequence[str]) -> None:
    """Raise GraphError where two columns say that they hold the weights."""
    weights = [title for title in titles if title.lower() in _WEIGHTS]
    if len(weights) > 1:
        raise GraphError(f"the columns {' and '.join(map(repr, weights))} may both hold the weights; rename one")


def _direction(said: set[str]) -> bool:
    """Whether links are directed, of which a column says this."""
    if len(said) > 1:
        raise GraphError("some links are directed and others undirected; make all of them one kind")
    return said == {"directed"}


def _like_number(cell: str) -> bool:
    """Whether `cell` is a number, or fails to be one as "nan" and "1e999" do."""
    try:
        float(cell)
    except ValueError:
        return is_number(cell)
    return True


def _first_other(cells: list[str]) -> int:
    """The place of the first cell that is not like the first: there or missing."""
    return next(place for place, cell in enumerate(cells) if bool(cell) != bool(cells[0]))


def _values(links: TableRows, cells: list[str], title: str, notes: list[str]) -> torch.Tensor:
    """The numbers of a column, NaN where there are none."""
    try:
        commas = decimal_commas(cells)
    except GraphError as error:
        raise GraphError(f"column {title!r}: {error}") from error
    if commas:
        notes.append("decimal commas")

    together = None if commas else many_numbers(cells)
    if together is not None:
        return torch.from_numpy(together)

    def value(cell: str) -> int | float | None:
        return number(cell.replace(",", ".") if commas else cell) if cell else None

    try:
        values = {cell: value(cell) for cell in set(cells)}
    except GraphError:
        for line, cell in zip(links.lines, cells, strict=True):
            try:
                value(cell)
            except GraphError as error:
                raise GraphError(f"line {line}: {error}") from error
        raise
    return number_column(title, list(map(values.__getitem__, cells)))


def refuse_split_decimals(links: TableRows) -> None:
    """Raise GraphError for lines such as "a,b,0,5", whose last two cells are one number with a decimal comma."""
    if (
        links.is_even
        and links.width == 4
        and all(cell.isdigit() for cell in links.column(2))
        and all(cell.isdigit() and len(cell) < 5 for cell in links.column(3))
    ):
        told = f"line {links.lines[0]}: {','.join(links[0])[:40]!r} may end with a decimal comma"
        raise GraphError(f"{told}; separate the cells by semicolons, or put a header above the columns")


def _weight_of(numeric: list[str], *, headed: bool) -> str | None:
    """The column that holds the weights: the one named so, or the only one that may be."""
    named = [title for title in numeric if title.lower() in _WEIGHTS]
    likely = named or [title for title in numeric if title.lower() not in _NO_WEIGHT]
    if not headed:
        return "column3" if "column3" in numeric else None
    return likely[0] if named or len(likely) == 1 else None


def attributes_beside(rows: TableRows, texts: Sequence[str]) -> Beside:
    """The columns of the attributes that networkx writes after links: the `texts` [R] after `rows`."""
    found = []
    for line, width, text in zip(rows.lines, rows.widths.tolist(), texts, strict=True):
        if width > 1:
            found.append(_dictionary(line, text))
        elif text != "{}":
            raise GraphError(f"line {line}: one name with attributes of a link; write two names, or leave {{}}")
    columns = to_columns(found)
    return Beside(columns, ignored=tuple(f"edge attribute {name!r}" for name in left_out(found, columns)))


def _dictionary(line: int, text: str) -> Row:
    """The attributes of a link as networkx writes them."""
    if text == "{}":
        return {}
    try:
        if text.count("{") + text.count("[") + text.count("(") > _DEEPEST:
            raise ValueError("too deep")
        found = ast.literal_eval(text)
        if not isinstance(found, dict):
            raise ValueError("no dictionary")
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError) as error:
        told = f"line {line}: {text[:40]!r} are no attributes such as {{'weight': 3}}"
        raise GraphError(f"{told}; correct them") from error
    return {str(name): value for name, value in found.items()}
