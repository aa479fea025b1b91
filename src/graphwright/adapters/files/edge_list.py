"""Edge lists: one link a line (`.txt`, `.csv`, `.tsv`, `.edgelist`, `.edges`, `.el`, and KONECT's `out.NAME`).

    # Directed graph            without this comment (SNAP's data sets write it too) the graph is undirected
    source,target,weight        perhaps a header, or the numbers of nodes and links
    a,b,0.5                     a link and, on every line or on none, numbers: the first is the edge column `weight`
    c                           a node alone

Comments begin with `#` or `%`; KONECT's `% asym` and `% bip` say what the graph is. What stands between cells and what
the first line is, is found out from all lines (`table.py`, `first_line.py`). Nodes are numbered as they appear.
"""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import torch

from graphwright.adapters.columns import Row, left_out, number_column, to_columns
from graphwright.adapters.files.counted import node_count
from graphwright.adapters.files.first_line import Header, ends_of, kind_of_first_line
from graphwright.adapters.files.refusal import refuse, refuse_columns, refuse_weights
from graphwright.adapters.files.table import Rows, decimal_commas, is_number, split_attributes, split_table
from graphwright.adapters.files.text import numbered_lines
from graphwright.adapters.listed_links import from_listed
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.numbers import number
from graphwright.adapters.reading import Reading
from graphwright.core import GraphError

_DIRECTED = re.compile(r"#\s*directed graph\b", re.IGNORECASE)
_KONECT = re.compile(r"%\s*(sym|asym|bip)\b")
_OWN = re.compile(r"# (?:Und|D)irected graph \(cells between (\w+), (no )?header\)")
_COMMENT = ("#", "%")
_NO_WEIGHT = {"id", "key", "index", "time", "timestamp", "date", "year", "label", "type", "source", "target"}
_REMEDY = "write .json, .graphml or .npz"
_DEEPEST, _WIDEST = 20, 100
_FEW_CELLS, _MOST_GAPS = 1 << 16, 16  # of columns under a header: for any file, and for each cell that it holds


def read_text(data: bytes, header: Header | None = None) -> NamedGraph:
    """The graph in `data`, where "a b,c d" is a link of names with a comma. Raises GraphError, naming the line."""
    return _read(data, header, comma_first=False)


def read_csv(data: bytes, header: Header | None = None) -> NamedGraph:
    """The graph in `data`, where "a b,c d" is a link between "a b" and "c d". Raises GraphError, naming the line."""
    return _read(data, header, comma_first=True)


def _read(data: bytes, header: Header | None, *, comma_first: bool) -> NamedGraph:
    lines = list(numbered_lines(data))
    comments = [text for _, text in lines if text.startswith(_COMMENT)]
    lines = [(line, text) for line, text in lines if not text.startswith(_COMMENT)]
    konect = next((match[1] for match in map(_KONECT.match, comments) if match), None)
    own = next((match for match in map(_OWN.fullmatch, comments) if match), None)
    attributes = split_attributes(lines) if own is None else None
    texts = lines if attributes is None else attributes[0]
    table = split_table(texts, comma_first=comma_first, delimiter=own and own[1])
    rows = table.rows
    for line, cells in rows:
        if not cells or "" in cells[:2]:
            raise GraphError(f"line {line}: a name is missing; write one name, or two names and perhaps a weight")
    kind: Header = "no"
    if rows and attributes is None:
        kind = header or (("no" if own[2] else "yes") if own else kind_of_first_line(rows))
    names, body = _named_columns(rows, kind)
    counts = rows[0] if kind == "counts" else None
    place = _places(body, counts, len(data), sides=konect == "bip")
    links = [(line, cells) for line, cells in body if len(cells) > 1]
    pairs = [_ends(cells, place, sides=konect == "bip") for _, cells in links]
    if counts is not None:
        _check_counts(counts, len(links))
    reading = Reading(
        format="edge list",
        delimiter=table.delimiter,
        header={"yes": f"header {', '.join(names)}", "counts": "numbers of nodes and links", "no": None}[kind],
        notes=("nodes of the two sides are named left:N and right:N",) if konect == "bip" else (),
    )
    if attributes is not None:
        found = [_dictionary(line, text) for (line, _), text in zip(rows, attributes[1], strict=True)]
        columns = to_columns(found)
        extra = _Extra(columns, ignored=tuple(f"edge attribute {name!r}" for name in left_out(found, columns)))
    else:
        extra = _numbers(names, links)
        if table.delimiter == "commas" and not names:
            _refuse_split_decimals(links)
    directed = extra.directed
    if directed is None:
        directed = konect == "asym" or any(_DIRECTED.match(text) for text in comments)
    reading = replace(reading, edge_weight=extra.weight, ignored=extra.ignored, notes=(*reading.notes, *extra.notes))
    return from_listed(place, pairs, directed=directed, edges=extra.columns, reading=reading)


class _Extra(NamedTuple):
    """What stands beside the ends of each link."""

    columns: Mapping[str, torch.Tensor]
    weight: str | None = None
    directed: bool | None = None
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _named_columns(rows: Rows, kind: Header) -> tuple[list[str], Rows]:
    """The names of the columns that a header gives, and the lines below, the ends of links first."""
    if kind == "no":
        return [], rows
    if kind == "counts":
        return [], rows[1:]
    header = rows[0][1]
    one, other = ends_of(header) or (0, 1)
    order = [one, other, *(place for place in range(len(header)) if place not in (one, other))]
    if order == sorted(order):
        return header, rows[1:]
    body = []
    for line, cells in rows[1:]:
        if len(cells) <= max(one, other):
            raise GraphError(
                f"line {line}: {len(cells)} cells, but the header puts the nodes in {one + 1} and {other + 1}"
            )
        padded = [*cells, *[""] * (len(header) - len(cells))]
        body.append((line, [*(padded[place] for place in order), *padded[len(header) :]]))
    return [header[place] for place in order], body


def _places(body: Rows, counts: tuple[int, list[str]] | None, size: int, *, sides: bool) -> dict[str, int]:
    """The places of all nodes by name: as they appear, or by number where the first line counts them."""
    if counts is not None:
        line, cells = counts
        named = {cell for _, row in body for cell in row[:2]}
        if all(cell.isdigit() for cell in named):
            base = 0 if "0" in named else 1
            said = node_count(cells[0], size)
            wrong = next((cell for cell in named if not base <= int(cell) < base + said), None)
            if wrong is not None:
                raise GraphError(f"node {wrong} does not exist; line {line} says there are {said}")
            return {str(base + node): node for node in range(said)}
    place: dict[str, int] = {}
    for _, row in body:
        for cell in _of_sides(row) if sides and len(row) > 1 else row[:2]:
            place.setdefault(cell, len(place))
    return place


def _of_sides(row: list[str]) -> list[str]:
    """The names of the ends of a link of KONECT's bipartite graphs, which number each side from 1."""
    return [f"left:{row[0]}", f"right:{row[1]}"]


def _ends(row: list[str], place: dict[str, int], *, sides: bool) -> tuple[int, int]:
    one, other = _of_sides(row) if sides else row[:2]
    return place[one], place[other]


def _check_counts(counts: tuple[int, list[str]], found: int) -> None:
    line, cells = counts
    said = {int(cell) for cell in cells[1:] if cell.isdigit()}
    if said and not said & {found, 2 * found} and not any(found == 2 * number for number in said):
        told = f"line {line}: says {cells[1]} links, but the file has {found}"
        raise GraphError(f"{told}; correct the count, complete the file, or say --header no")


def _numbers(names: list[str], links: Rows) -> _Extra:
    """The columns beside the ends of each link: numbers, and what is told of the others."""
    width = max((len(cells) for _, cells in links), default=0)
    if not names and width > _WIDEST:
        line = next(line for line, cells in links if len(cells) > _WIDEST)
        raise GraphError(f"line {line}: over {_WIDEST} cells; an edge list has two names and a few numbers a line")
    if not names and width > 3:
        line, cells = next(((line, cells) for line, cells in links if len(cells) != len(links[0][1])), links[0])
        if len(cells) != len(links[0][1]):
            told = f"line {line}: some links have {len(links[0][1])} cells and this one {len(cells)}"
            raise GraphError(f"{told}; give all the same, put a header above them, or {_REMEDY}")
    if names and width > len(names):
        line = next(line for line, cells in links if len(cells) > len(names))
        raise GraphError(f"line {line}: {width} cells under a header of {len(names)}; correct the line or the header")
    titles = [*names, *(f"column{place + 1}" for place in range(len(names), width))][2:]
    if len(titles) * len(links) > max(_FEW_CELLS, _MOST_GAPS * sum(len(cells) for _, cells in links)):
        raise GraphError(f"{len(titles)} columns, most of which are empty; keep those that are needed")
    columns: dict[str, torch.Tensor] = {}
    ignored: list[str] = []
    directed: bool | None = None
    notes: list[str] = []
    for place, title in enumerate(titles, start=2):
        cells = [row[place] if len(row) > place else "" for _, row in links]
        if title.lower() == "type" and {cell.lower() for cell in cells} in ({"directed"}, {"undirected"}):
            directed = cells[0].lower() == "directed"
            continue
        if not any(cells):
            continue
        if not any(map(_like_number, cells)):
            ignored.append(f"column {title!r}")
            continue
        if place == 2 and "" in cells and not (names and len(titles) > 1):
            line = links[_first_other(cells)][0]
            raise GraphError(
                f"line {line}: some links have a weight and this one differs; give every link one, or none"
            )
        columns[title] = _values(links, cells, title, notes)
    weight = _weight_of(list(columns), headed=bool(names))
    if weight is not None and weight != "weight":
        columns["weight"] = columns[weight] if names else columns.pop(weight)
    shown = weight if names or weight is None else "column 3"
    return _Extra(columns, shown, directed, tuple(ignored), tuple(notes))


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


def _values(links: Rows, cells: list[str], title: str, notes: list[str]) -> torch.Tensor:
    """The numbers of a column, NaN where there are none."""
    try:
        commas = decimal_commas(cells)
    except GraphError as error:
        raise GraphError(f"column {title!r}: {error}") from error
    if commas:
        notes.append("decimal commas")
    values: list[int | float | None] = []
    for (line, _), cell in zip(links, cells, strict=True):
        try:
            values.append(number(cell.replace(",", ".") if commas else cell) if cell else None)
        except GraphError as error:
            raise GraphError(f"line {line}: {error}") from error
    return number_column(title, values)


def _refuse_split_decimals(links: Rows) -> None:
    """Raise GraphError for lines such as "a,b,0,5", whose last two cells are one number with a decimal comma."""
    if (
        links
        and all(len(row) == 4 for _, row in links)
        and all(row[2].isdigit() and row[3].isdigit() and len(row[3]) < 5 for _, row in links)
    ):
        line, row = links[0]
        raise GraphError(
            f"line {line}: {','.join(row)[:40]!r} may end with a decimal comma; separate the cells by semicolons, or "
            "put a header above the columns"
        )


def _weight_of(numeric: list[str], *, headed: bool) -> str | None:
    """The column that holds the weights: the one named so, or the only one that may be."""
    named = [title for title in numeric if title.lower() in ("weight", "weights")]
    likely = named or [title for title in numeric if title.lower() not in _NO_WEIGHT]
    if not headed:
        return "column3" if "column3" in numeric else None
    return likely[0] if named or len(likely) == 1 else None


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


def write_text(named: NamedGraph) -> bytes:
    """`named` separated by white space. Raises GraphError for what that cannot hold."""
    for name in named.names:
        if name.split() != [name] or not name.isprintable() or "," in name or name.startswith(_COMMENT):
            raise refuse("an edge list (.txt)", f"the node name {name!r}", "write .csv, .json or .npz, or rename it")
    rows = _rows("an edge list (.txt)", named)
    return "".join(" ".join(row) + "\n" for row in [[_told(named, "blanks, no")], *rows]).encode()


def write_csv(named: NamedGraph) -> bytes:
    """`named` separated by commas, under a header. Raises GraphError for what that cannot hold."""
    for name in named.names:
        if not name.isprintable() or name.strip() != name or not name or name.startswith(_COMMENT):
            raise refuse("an edge list (.csv)", f"the node name {name!r}", "write .json or .npz, or rename it")
    rows = _rows("an edge list (.csv)", named)
    header = ["source", "target", *(["weight"] if "weight" in named.graph.edges else [])]
    text = io.StringIO()
    text.write(_told(named, "commas,") + "\n")
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()


def _told(named: NamedGraph, how: str) -> str:
    """The first line, which leaves nothing to be found out."""
    return f"# {'Directed' if named.directed else 'Undirected'} graph (cells between {how} header)"


def _rows(form: str, named: NamedGraph) -> list[list[str]]:
    """Every node on a line of its own, which keeps their order, then every link."""
    refuse_columns(form, named, _REMEDY, edges=["weight"])
    refuse_weights(form, named, _REMEDY)
    links, columns = named.links()
    rows = [[named.names[one], named.names[other]] for one, other in links.T.tolist()]
    if "weight" in columns:
        column = columns["weight"]
        if not rows or column.dim() != 1 or column.dtype not in (torch.int64, torch.float64):
            what = f"edge column 'weight' of {column.dtype} {list(column.shape)}, only int64 or float64 [E] with E > 0"
            raise refuse(form, what, _REMEDY)
        if not bool(column.isfinite().all()):
            raise refuse(form, "edge column 'weight' with values that are not finite", _REMEDY)
        for row, value in zip(rows, column.tolist(), strict=True):
            row.append(repr(value))
    return [[name] for name in named.names] + rows
