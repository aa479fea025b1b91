"""Graphs from and to files: `read_graph` and `write_graph`. The suffix of a path names its format, one module each.

`read_tour` reads the published tours that lie beside `.tsp` files.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from graphwright.adapters.files import dimacs, edge_list, graphml, node_link, npz, rudy, steinlib, tour, tsplib
from graphwright.adapters.files.refusal import check_column_names
from graphwright.adapters.files.weight import check_weight, with_weight
from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphError

__all__ = ["read_graph", "read_tour", "write_graph"]


class _Format(NamedTuple):
    """Bytes to graph, given the name of the weight, and graph to bytes; a GraphError they raise lacks only the path."""

    read: Callable[[bytes, str], NamedGraph]
    write: Callable[[NamedGraph], bytes]


_DIMACS = _Format(dimacs.read, dimacs.write)
_RUDY = _Format(rudy.read, rudy.write)
_FORMATS = {
    ".txt": _Format(edge_list.read, edge_list.write_text),
    ".csv": _Format(edge_list.read, edge_list.write_csv),
    ".graphml": _Format(graphml.read, graphml.write),
    ".col": _DIMACS,
    ".clq": _DIMACS,
    ".mis": _DIMACS,
    ".mc": _RUDY,
    ".rud": _RUDY,
    ".stp": _Format(steinlib.read, steinlib.write),
    ".tsp": _Format(tsplib.read, tsplib.write),
    ".json": _Format(node_link.read, node_link.write),
    ".npz": _Format(npz.read, npz.write),
}


def read_graph(path: str | os.PathLike[str], *, weight: str = "weight") -> NamedGraph:
    """The graph in the file at `path`, in the format of its suffix, one of those in the table of `docs/files.md`.

    Numeric attributes become columns by the rule of `adapters.columns`. Parallel edges and self-loops stay. The node
    column `weight` [N] float32 is always there.

    weight: the node attribute that becomes that column; "weight" may be absent from the file, and is then all ones.

    Raises GraphError, one line with the path, the line if there is one, what is wrong and what to do, for any bad file.
    """
    path = Path(path)
    with _reading(path):
        form = _format(path)
        return with_weight(form.read(_bytes(path), weight), weight)


def read_tour(path: str | os.PathLike[str]) -> list[str]:
    """The names of the nodes, as `read_graph` gives them, in the order of the TSPLIB tour at `path` (`.tour`).

    Raises GraphError as `read_graph` does.
    """
    path = Path(path)
    with _reading(path):
        return tour.read(_bytes(path))


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


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Every error inside becomes a GraphError of one line, after the path."""
    try:
        yield
    except OSError as error:
        raise GraphError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except ValueError as error:
        raise _located(path, error) from error


def _bytes(path: Path) -> bytes:
    data = path.read_bytes()
    if not data.strip():
        raise GraphError("is empty; write a graph into it")
    return data


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
