"""Edge lists: one link a line (`.txt`, `.csv`, `.tsv`, `.edgelist`, `.edges`, `.el`, and KONECT's `out.NAME`).

    # Directed graph            without this comment (SNAP's data sets write it too) the graph is undirected
    source,target,weight        perhaps a header, or the numbers of nodes and links
    a,b,0.5                     a link and, on every line or on none, numbers: the first is the edge column `weight`
    c                           a node alone

Comments begin with `#` or `%`; KONECT's `% asym` and `% bip` say what the graph is. What stands between cells and what
the first line is, is found out from all lines (`table.py`, `first_line.py`). Nodes are numbered as they appear.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import replace

import numpy as np
import torch

from graphwright.adapters.files.counted import node_count
from graphwright.adapters.files.edge_columns import attributes_beside, numbers_beside, refuse_split_decimals
from graphwright.adapters.files.edge_list_writer import write_csv, write_text
from graphwright.adapters.files.first_line import WHOLE, Header, ends_of, kind_of_first_line
from graphwright.adapters.files.not_links import (
    alike,
    refuse_arrows,
    refuse_brackets,
    refuse_lone_pairs,
    refuse_matrix,
    refuse_other_formats,
    refuse_points,
)
from graphwright.adapters.files.table import split_attributes, split_table
from graphwright.adapters.files.table_rows import TableRows
from graphwright.adapters.files.text import numbered_lines
from graphwright.adapters.listed_links import from_listed
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.reading import Reading
from graphwright.core import GraphError

__all__ = ["read_csv", "read_text", "write_csv", "write_text"]

_DIRECTED = re.compile(r"#\s*directed graph\b", re.IGNORECASE)
_KONECT = re.compile(r"%\s*(sym|asym|bip)\b")
_OWN = re.compile(r"# (?:Und|D)irected graph \(cells between (\w+), (no )?header\)")
_COMMENT = "#%"


def read_text(data: bytes, header: Header | None = None) -> NamedGraph:
    """The graph in `data`, where "a b,c d" is a link of names with a comma. Raises GraphError, naming the line."""
    return _read(data, header, comma_first=False)


def read_csv(data: bytes, header: Header | None = None) -> NamedGraph:
    """The graph in `data`, where "a b,c d" is a link between "a b" and "c d". Raises GraphError, naming the line."""
    return _read(data, header, comma_first=True)


def _read(data: bytes, header: Header | None, *, comma_first: bool) -> NamedGraph:
    comments, lines, texts = _told_apart(data)
    konect = next((match[1] for match in map(_KONECT.match, comments) if match), None)
    own = next((match for match in map(_OWN.fullmatch, comments) if match), None)
    if header is None and own is None:
        refuse_other_formats(comments, lines, texts)
    attributes = split_attributes(texts) if own is None else None
    texts = texts if attributes is None else attributes[0]
    table = split_table(lines, texts, comma_first=comma_first, delimiter=own and own[1])
    rows = table.rows
    if not len(rows) and own is None:
        raise GraphError("has no line but comments; write links below them")
    _require_names(rows.below() if _has_index(rows) else rows)
    refuse_arrows(rows)
    if header is None and own is None:
        refuse_brackets(rows)
        refuse_matrix(rows)
        refuse_points(rows)
        refuse_lone_pairs(rows, ", or say --header no if no nodes are joined")
    kind: Header = "no"
    if len(rows) and attributes is None:
        kind = header or (("no" if own[2] else "yes") if own else kind_of_first_line(rows))
    names, body = _named_columns(rows, kind)
    counts = (rows.lines[0], rows[0]) if kind == "counts" else None
    links = body.select(body.widths > 1)
    if konect == "bip":
        body, links = _of_sides(body), _of_sides(links)
    _require_names(body)
    place = _places(body, counts, len(data))
    ends = (map(place.__getitem__, links.column(end)) for end in (0, 1))
    pairs = torch.from_numpy(np.stack([np.fromiter(end, np.int64, len(links)) for end in ends], axis=1))
    if counts is not None:
        _check_counts(counts, len(links))
    reading = Reading(
        format="edge list",
        delimiter=table.delimiter,
        header={"yes": f"header {', '.join(names)}", "counts": "numbers of nodes and links", "no": None}[kind],
        notes=(*(["nodes of the two sides are named left:N and right:N"] if konect == "bip" else []), *alike(place)),
    )
    if attributes is not None:
        beside = attributes_beside(rows, attributes[1])
    else:
        beside = numbers_beside(names, links)
        if table.delimiter == "commas" and not names:
            refuse_split_decimals(links)
    directed = beside.directed
    if directed is None:
        directed = konect == "asym" or any(_DIRECTED.match(text) for text in comments)
    reading = replace(reading, edge_weight=beside.weight, ignored=beside.ignored, notes=(*reading.notes, *beside.notes))
    return from_listed(place, pairs, directed=directed, edges=beside.columns, reading=reading)


def _told_apart(data: bytes) -> tuple[list[str], array[int], list[str]]:
    """The comments of a file, and the numbers and texts of its other lines."""
    comments: list[str] = []
    lines, texts = array("q"), []
    for line, text in numbered_lines(data):
        if text[0] in _COMMENT:
            comments.append(text)
        else:
            lines.append(line)
            texts.append(text)
    return comments, lines, texts


def _require_names(rows: TableRows) -> None:
    """Raise GraphError, naming the line, where a row has no name, or an empty one."""
    if rows.widths.all() and "" not in rows.cells:
        return
    for line, row in zip(rows.lines, range(len(rows)), strict=True):
        if not rows[row] or "" in rows[row][:2]:
            raise GraphError(f"line {line}: a name is missing; write one name, or two names and perhaps a weight")


def _has_index(rows: TableRows) -> bool:
    """Whether the first line is a header without a name for the first column, as pandas writes numbers of rows."""
    return len(rows) > 1 and len(rows[0]) > 2 and not rows[0][0] and ends_of(rows[0]) is not None


def _named_columns(rows: TableRows, kind: Header) -> tuple[list[str], TableRows]:
    """The names of the columns that a header gives, and the lines below, the ends of links first."""
    if kind == "no":
        return [], rows
    if kind == "counts":
        return [], rows.below()
    header = ["index", *rows[0][1:]] if _has_index(rows) else rows[0]
    one, other = ends_of(header) or (0, 1)
    order = [one, other, *(place for place in range(len(header)) if place not in (one, other))]
    body = rows.below()
    if order == sorted(order):
        return header, body
    short = body.widths <= max(one, other)
    if short.any():
        cells = body.widths[short.argmax()]
        raise GraphError(
            f"line {body.first(short)}: {cells} cells, but the header puts the nodes in {one + 1} and {other + 1}"
        )
    width = max(body.width, len(header))
    moved = [body.column(place) for place in (*order, *range(len(header), width))]
    cells = [cell for row in zip(*moved, strict=True) for cell in row]
    return [header[place] for place in order], TableRows(body.lines, cells, np.arange(len(body) + 1) * width)


def _places(body: TableRows, counts: tuple[int, list[str]] | None, size: int) -> dict[str, int]:
    """The places of all nodes by name: as they appear, or by number where the first line counts them."""
    named = dict.fromkeys(body.ends())
    if counts is None:
        return {name: node for node, name in enumerate(named)}
    line, cells = counts
    said = node_count(cells[0], size)
    if all(map(WHOLE.fullmatch, named)):
        base = 0 if "0" in named else 1
        wrong = next((cell for cell in named if not base <= int(cell) < base + said), None)
        if wrong is not None:
            raise GraphError(f"node {wrong} does not exist; line {line} says there are {said}")
        return {str(base + node): node for node in range(said)}
    if len(named) > said:
        raise GraphError(
            f"line {line}: says {said} nodes, but the file has {len(named)}; correct the count, or say --header no"
        )
    return {name: node for node, name in enumerate(named)}


def _of_sides(rows: TableRows) -> TableRows:
    """TableRows of KONECT's bipartite graphs, which number each side from 1, with different names on both sides."""
    cells = list(rows.cells)
    for start, width in zip(rows.ptr.tolist(), rows.widths.tolist(), strict=False):
        if width > 1:
            cells[start], cells[start + 1] = f"left:{cells[start]}", f"right:{cells[start + 1]}"
    return TableRows(rows.lines, cells, rows.ptr)


def _check_counts(counts: tuple[int, list[str]], found: int) -> None:
    line, cells = counts
    said = {int(cell) for cell in cells[1:] if cell.isdigit()}
    if said and not said & {found, 2 * found} and not any(found == 2 * number for number in said):
        told = f"line {line}: says {cells[1]} links, but the file has {found}"
        raise GraphError(f"{told}; correct the count, complete the file, or say --header no")
