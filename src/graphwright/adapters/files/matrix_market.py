"""Matrix Market (`.mtx`): a square matrix is a graph of nodes 1 to N with a link for each entry.

    %%MatrixMarket matrix coordinate real symmetric
    % a comment
    3 3 2               rows, columns, entries
    2 1 0.5             a link and its weight, the edge column `weight`; a pattern has none
    3 2 1

A symmetric matrix is an undirected graph, a general one a directed graph from rows to columns. Read here and not by
SciPy, whose reader ends the process where a line is malformed. Boisvert, Pozo & Remington (1996), "The Matrix Market
exchange formats".
"""

from __future__ import annotations

import torch

from graphwright.adapters.files.counted import node_count, node_names, node_place, whole
from graphwright.adapters.files.text import numbered_lines
from graphwright.adapters.listed_links import from_listed
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.numbers import decimal
from graphwright.adapters.reading import Reading
from graphwright.core import GraphError

_KINDS = ("real", "integer", "pattern")
_SYMMETRIES = ("general", "symmetric")


def read(data: bytes) -> NamedGraph:
    """The graph in `data`. Raises GraphError, naming the line, for a malformed one and for what is no graph."""
    lines = numbered_lines(data)
    pattern, symmetric = _banner(next(lines)[1])
    header = num_nodes = num_links = 0
    links: list[tuple[int, int]] = []
    weights: list[float] = []
    for line, text in lines:
        if text.startswith("%"):
            continue
        try:
            match text.split():
                case [rows, columns, entries] if not header:
                    if rows != columns:
                        raise GraphError(f"{rows} rows and {columns} columns; only square matrices are graphs")
                    header, num_nodes, num_links = line, node_count(rows, len(data)), whole(entries)
                case [row, column, *value] if header and len(value) == (not pattern):
                    links.append((node_place(row, num_nodes, header), node_place(column, num_nodes, header)))
                    weights += map(decimal, value)
                case _:
                    form = f"'row column{'' if pattern else ' value'}'" if header else "'N N M'"
                    raise GraphError(f"{text[:40]!r} is no line of this matrix; write {form}")
        except GraphError as error:
            raise GraphError(f"line {line}: {error}") from error
    if len(links) != num_links or not header:
        raise GraphError(f"line {header or 1}: says {num_links} entries, but the file has {len(links)}; complete it")
    return from_listed(
        node_names(num_nodes),
        links,
        directed=not symmetric,
        edges={} if pattern else {"weight": torch.tensor(weights, dtype=torch.float64)},
        reading=Reading(format="Matrix Market"),
    )


def _banner(text: str) -> tuple[bool, bool]:
    """Whether entries have no numbers, and whether the matrix is symmetric."""
    match text.lower().split():
        case ["%%matrixmarket", "matrix", "coordinate", kind, symmetry] if kind in _KINDS and symmetry in _SYMMETRIES:
            return kind == "pattern", symmetry == "symmetric"
        case ["%%matrixmarket", *_]:
            raise GraphError(
                "line 1: only matrices by coordinates, real or pattern, general or symmetric, are read; convert it"
            )
    raise GraphError("line 1: is not '%%MatrixMarket matrix coordinate ...'; add it")
