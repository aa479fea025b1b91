"""Matrix Market (`.mtx`): a square matrix is a graph of nodes 1 to N with a link for each entry; read by SciPy.

A symmetric matrix is an undirected graph, a general one a directed graph from rows to columns. Numbers are the edge
column `weight`; a pattern has none. Boisvert, Pozo & Remington (1996), "The Matrix Market exchange formats".
"""

from __future__ import annotations

import io

import numpy as np
import torch
from scipy.io import mmread
from scipy.sparse import coo_array

from graphwright.adapters.files.bounded import most_bytes
from graphwright.adapters.files.counted import node_count, node_names, whole
from graphwright.adapters.files.text import decode, numbered_lines
from graphwright.adapters.listed import from_listed
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.reading import Reading
from graphwright.core import GraphError


def read(data: bytes) -> NamedGraph:
    """The graph in `data`. Raises GraphError for a malformed one and for what is no graph."""
    text = decode(data)
    banner, size, symmetric = _check_head(text, len(data))
    try:
        matrix = coo_array(mmread(io.BytesIO(text.encode())))
    except Exception as error:  # SciPy raises several undocumented kinds on damaged files
        reason = (str(error) or type(error).__name__).splitlines()[0][:100]
        raise GraphError(f"not readable as Matrix Market ({reason}); fetch it again") from error
    row, column, value = matrix.row.astype(np.int64), matrix.col.astype(np.int64), matrix.data
    if symmetric:  # SciPy gives both triangles
        lower = row >= column
        row, column, value = row[lower], column[lower], value[lower]
    edges = {} if "pattern" in banner else {"weight": torch.from_numpy(np.asarray(value, dtype=np.float64))}
    return from_listed(
        node_names(size),
        torch.from_numpy(np.stack([row, column], axis=1)),
        directed=not symmetric,
        edges=edges,
        reading=Reading(format="Matrix Market"),
    )


def _check_head(text: str, size: int) -> tuple[list[str], int, bool]:
    """The words of the banner, the number of nodes, and whether the matrix is symmetric."""
    lines = numbered_lines(text.encode())
    _, first = next(lines)
    banner = first.lower().split()
    if banner[:2] != ["%%matrixmarket", "matrix"] or len(banner) != 5:
        raise GraphError("line 1: is not '%%MatrixMarket matrix coordinate ...'; add it")
    _, _, form, kind, symmetry = banner
    if form != "coordinate" or kind == "complex" or symmetry not in ("general", "symmetric"):
        raise GraphError(
            "line 1: only matrices by coordinates, real or pattern, general or symmetric, are read; convert it"
        )
    line, words = next(((line, text.split()) for line, text in lines if not text.startswith("%")), (1, []))
    try:
        if len(words) != 3 or words[0] != words[1]:
            raise GraphError(f"{' '.join(words)[:40]!r} is not 'N N M'; only square matrices are graphs")
        if whole(words[2]) > most_bytes(0) and whole(words[2]) > size:
            raise GraphError(f"says {words[2]} entries, too many for a file of {size} bytes; correct the number")
        return banner, node_count(words[0], size), symmetry == "symmetric"
    except GraphError as error:
        raise GraphError(f"line {line}: {error}") from error
