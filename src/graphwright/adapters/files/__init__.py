"""Graphs from and to files: `read_graph` and `write_graph`. The suffix of a path names its format, one module each.

`read_tour` reads the published tours that lie beside `.tsp` files.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, cast

from graphwright.adapters.files import edge_list, tour
from graphwright.adapters.files.bounded import read_bytes
from graphwright.adapters.files.first_line import Header
from graphwright.adapters.files.refusal import check_column_names
from graphwright.adapters.files.weight import check_weight, with_edge_weight, with_weight
from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphError
from graphwright.core.files import write_atomically

__all__ = ["read_graph", "read_tour", "write_graph"]


class _Format(NamedTuple):
    """The module of a format and its two functions: bytes to graph, and graph to bytes, or why there is none.

    A GraphError that they raise lacks only the path.
    """

    module: str
    read: str = "read"
    write: str = "write"

    def reader(self) -> Callable[[bytes], NamedGraph]:
        """Bytes to graph."""
        return cast("Callable[[bytes], NamedGraph]", getattr(self._module(), self.read))

    def writer(self) -> Callable[[NamedGraph], bytes]:
        """Graph to bytes. Raises GraphError where the format is only read."""
        if not self.write:
            raise GraphError(f"{self.module.replace('_', ' ')} files are read and not written; write .json or .npz")
        return cast("Callable[[NamedGraph], bytes]", getattr(self._module(), self.write))

    def _module(self) -> ModuleType:
        return import_module(f"{__name__}.{self.module}")


_TEXT = _Format("edge_list", "read_text", "write_text")
_FORMATS = {
    **dict.fromkeys((".txt", ".tsv", ".edgelist", ".edges", ".el"), _TEXT),
    ".csv": _Format("edge_list", "read_csv", "write_csv"),
    ".graphml": _Format("graphml"),
    **dict.fromkeys((".col", ".clq", ".mis", ".gr"), _Format("dimacs")),
    **dict.fromkeys((".mc", ".rud"), _Format("rudy")),
    ".stp": _Format("steinlib"),
    **dict.fromkeys((".tsp", ".atsp"), _Format("tsplib")),
    ".json": _Format("node_link"),
    ".npz": _Format("npz"),
    ".gml": _Format("gml", write=""),
    ".gexf": _Format("gexf", write=""),
    ".net": _Format("pajek", write=""),
    ".adjlist": _Format("adjacency", write=""),
    **dict.fromkeys((".g6", ".s6"), _Format("graph6", write="")),
    **dict.fromkeys((".graph", ".metis"), _Format("metis", write="")),
    ".mtx": _Format("matrix_market", write=""),
}


def read_graph(
    path: str | os.PathLike[str],
    *,
    weight: str = "weight",
    edge_weight: str | None = None,
    header: Header | None = None,
) -> NamedGraph:
    """The graph in the file at `path`, in the format of its suffix, one of those in the table of `docs/files.md`.

    Numeric attributes become columns by the rule of `adapters.columns`. Parallel edges and self-loops stay. The node
    column `weight` [N] float64 is always there. What was understood is the graph's `reading`.

    weight: the node attribute that becomes that column; "weight" may be absent from the file, and is then all ones.
    edge_weight: the edge attribute that becomes the edge column `weight`, and goes before one that is called `length`.
    header: what the first line of a text table is, where its other lines leave that open.

    Raises GraphError, one line with the path, the line if there is one, what is wrong and what to do, for any bad file.
    """
    path = Path(path)
    with _reading(path):
        form, data = _format(path), read_bytes(path)
        if form.module == "edge_list":
            named = edge_list.read_csv(data, header) if form.read == "read_csv" else edge_list.read_text(data, header)
        elif header is not None:
            raise GraphError("--header is about text tables, and this file is none; leave it out")
        else:
            named = form.reader()(data)
        named = with_weight(named, weight)
        return named if edge_weight is None else with_edge_weight(named, edge_weight)


def read_tour(path: str | os.PathLike[str]) -> list[str]:
    """The names of the nodes, as `read_graph` gives them, in the order of the TSPLIB tour at `path` (`.tour`).

    Raises GraphError as `read_graph` does.
    """
    path = Path(path)
    with _reading(path):
        return tour.read(read_bytes(path))


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
        write_atomically(path, form.writer()(named_graph))
    except OSError as error:
        raise GraphError(f"{path}: cannot be written ({error.strerror or error}); check the folder") from error
    except ValueError as error:
        raise _located(path, error) from error


def _format(path: Path) -> _Format:
    if path.name.startswith("out.") or not path.suffix:  # KONECT's, and those of the Gset
        return _TEXT
    suffix = next(reversed([part for part in path.suffixes if part.lower() != ".gz"]), "").lower()
    form = _FORMATS.get(suffix)
    if form is None:
        raise GraphError(f"unknown suffix {suffix!r}; use one of {' '.join(_FORMATS)}, or one of them with .gz")
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


def _located(path: Path, error: ValueError) -> GraphError:
    """`error` on one line, after the path."""
    return GraphError(" ".join(f"{path}: {error}".splitlines()))
