"""Edge lists as they are written: under a comment that leaves nothing to be found out; see `edge_list`."""

from __future__ import annotations

import csv
import io

import torch

from graphwright.adapters.files.refusal import refuse, refuse_columns, refuse_weights
from graphwright.adapters.named_graph import NamedGraph

_COMMENT = ("#", "%")
_REMEDY = "write .json, .graphml or .npz"


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
