"""Graphs from and to files: `read_graph` and `write_graph`. The suffix of a path names its format, one module each."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from graphwright.adapters.files import dimacs, edge_list, graphml, node_link, npz
from graphwright.adapters.files.refusal import check_column_names
from graphwright.adapters.files.weight import check_weight, with_weight
from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphError

__all__ = ["read_graph", "write_graph"]


class _Format(NamedTuple):
    """Bytes to graph, given the name of the weight, and graph to bytes; a GraphError they raise lacks only the path."""

    read: Callable[[bytes, str], NamedGraph]
    write: Callable[[NamedGraph], bytes]


_DIMACS = _Format(dimacs.read, dimacs.write)
_FORMATS = {
    ".txt": _Format(edge_list.read, edge_list.write_text),
    ".csv": _Format(edge_list.read, edge_list.write_csv),
    ".graphml": _Format(graphml.read, graphml.write),
    ".col": _DIMACS,
    ".clq": _DIMACS,
    ".mis": _DIMACS,
    ".json": _Format(node_link.read, node_link.write),
    ".npz": _Format(npz.read, npz.write),
}


def read_graph(path: str | os.PathLike[str], *, weight: str = "weight") -> NamedGraph:
    """The graph in the file at `path`, in the format of its suffix (.txt .csv .graphml .col .clq .mis .json .npz).

    Numeric attributes become columns by the rule of `adapters.columns`. Parallel edges and self-loops stay. The node
    column `weight` [N] float32 is always there.

    weight: the node attribute that becomes that column; "weight" may be absent from the file, and is then all ones.

    Raises GraphError, one line with the path, the line if there is one, what is wrong and what to do, for any bad file.
    """
    path = Path(path)
    try:
        form = _format(path)
        data = path.read_bytes()
        if not data.strip():
            raise GraphError("is empty; write a graph into it")
        return with_weight(form.read(data, weight), weight)
    except OSError as error:
        raise GraphError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except ValueError as error:
        raise _located(path, error) from error


def write_graph(path: str | os.PathLike[str], named_graph: NamedGraph) -> None:
    """Write the graph to `path`, in the format of its suffix, so that `read_graph` gives back the very same graph.

    The file appears whole or not at all. Raises GraphError, naming the column and another suffix, for anything that the
    format cannot hold, and if the file cannot be written. Without a node column `weight`, all ones are read back.
    """
    path = Path(path)
    try:
        form = _format(path)
        check_column_names(named_graph)
        check_weight(named_graph)
        _replace(path, form.write(named_graph))
    except OSError as error:
        raise GraphError(f"{path}: cannot be written ({error.strerror}); check the folder") from error
    except ValueError as error:
        raise _located(path, error) from error


def _format(path: Path) -> _Format:
    form = _FORMATS.get(path.suffix.lower())
    if form is None:
        raise GraphError(f"unknown suffix {path.suffix!r}; use one of {' '.join(_FORMATS)}")
    return form


def _located(path: Path, error: ValueError) -> GraphError:
    """`error` on one line, after the path."""
    return GraphError(" ".join(f"{path}: {error}".splitlines()))


def _replace(path: Path, data: bytes) -> None:
    """Exchange the file at `path` in one step, so that no reader ever sees half of it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
