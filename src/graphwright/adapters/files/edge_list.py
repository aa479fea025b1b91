"""Edge lists: one link a line, separated by white space (`.txt`) or commas (`.csv`).

    # Directed graph            without this comment (SNAP's data sets write it too) the graph is undirected
    source,target,weight        a header of two or three words, recognised by its first two
    a,b,0.5                     a link and, on every line or on none, its weight: the edge column `weight`
    c                           a node alone

A file in which any line has a comma is separated by commas, with the quotes of CSV. Nodes are numbered as they appear.
"""

from __future__ import annotations

import csv
import io
import re

import torch

from graphwright.adapters.columns import to_columns
from graphwright.adapters.files.refusal import refuse, refuse_columns, refuse_weights
from graphwright.adapters.files.text import numbered_lines, weight
from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphError

_DIRECTED = re.compile(r"#\s*directed graph\b", re.IGNORECASE)
_HEADERS = {("source", "target"), ("from", "to"), ("src", "dst")}
_REMEDY = "write .json, .graphml or .npz"


def read(data: bytes, _weight: str = "weight") -> NamedGraph:
    """The graph in `data`. Raises GraphError, naming the line, for a malformed one."""
    lines = list(numbered_lines(data))
    directed = any(_DIRECTED.match(text) for _, text in lines)
    lines = [(line, text) for line, text in lines if not text.startswith("#")]
    commas = any("," in text for _, text in lines)
    place: dict[str, int] = {}
    links: list[tuple[int, int]] = []
    weights: list[int | float] = []
    for position, (line, text) in enumerate(lines):
        try:
            cells = _split(text, commas)
            if position == 0 and tuple(cell.lower() for cell in cells[:2]) in _HEADERS:
                continue
            ends = [place.setdefault(name, len(place)) for name in cells[:2]]
            if len(cells) > 1:
                links.append((ends[0], ends[1]))
                weights += [weight(token) for token in cells[2:]]
                if len(weights) not in (0, len(links)):
                    raise GraphError("some links have a weight and this one differs; give every link one, or none")
        except GraphError as error:
            raise GraphError(f"line {line}: {error}") from error
    edges = to_columns([{"weight": value} for value in weights]) if weights else {}
    return NamedGraph.from_links(place, links, directed=directed, edges=edges)


def _split(text: str, commas: bool) -> list[str]:
    """One to three cells, none of them empty."""
    if not commas:
        cells = text.split()
    else:
        try:
            cells = [cell.strip() for cell in next(csv.reader([text], skipinitialspace=True, strict=True))]
        except csv.Error as error:
            raise GraphError(f"malformed CSV ({error}); a quoted name ends with a quote on the same line") from error
        while cells and not cells[-1]:
            cells.pop()
    if not cells or "" in cells:
        raise GraphError("a name is missing; write one name, or two names and perhaps a weight")
    if len(cells) > 3:
        raise GraphError(f"{len(cells)} cells, but an edge list has at most 3; {_REMEDY} for more columns")
    return cells


def write_text(named: NamedGraph) -> bytes:
    """`named` separated by white space. Raises GraphError for what that cannot hold."""
    for name in named.names:
        if name.split() != [name] or not name.isprintable() or "," in name or name.startswith("#"):
            raise refuse("an edge list (.txt)", f"the node name {name!r}", "write .csv, .json or .npz, or rename it")
    rows = _rows("an edge list (.txt)", named)
    return "".join(" ".join(row) + "\n" for row in [[_direction(named)], *rows]).encode()


def write_csv(named: NamedGraph) -> bytes:
    """`named` separated by commas, under a header. Raises GraphError for what that cannot hold."""
    for name in named.names:
        if not name.isprintable() or name.strip() != name or not name or name.startswith("#"):
            raise refuse("an edge list (.csv)", f"the node name {name!r}", "write .json or .npz, or rename it")
    rows = _rows("an edge list (.csv)", named)
    header = ["source", "target", *(["weight"] if "weight" in named.graph.edges else [])]
    text = io.StringIO()
    text.write(_direction(named) + "\n")
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()


def _direction(named: NamedGraph) -> str:
    return "# Directed graph" if named.directed else "# Undirected graph"


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
        if not bool(((column >= 0) & column.isfinite()).all()):
            raise refuse(form, "edge column 'weight' with values that are not finite and >= 0", _REMEDY)
        for row, value in zip(rows, column.tolist(), strict=True):
            row.append(repr(value))
    return [[name] for name in named.names] + rows
