"""Saying what a format cannot hold, instead of dropping it."""

from __future__ import annotations

from collections.abc import Collection

from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphError


def refuse(form: str, what: str, remedy: str) -> GraphError:
    """The error for a graph that the format `form` cannot hold."""
    return GraphError(f"{form} cannot hold {what}; {remedy}")


def refuse_columns(form: str, named: NamedGraph, remedy: str, *, edges: Collection[str] = ()) -> None:
    """Raise GraphError if `named` has columns besides the node column `weight` and the edge columns `edges`."""
    graph = named.graph
    for table, columns, held in (
        ("node", graph.nodes, {"weight"}),
        ("edge", graph.edges, {"reverse", *edges}),
        ("graph", graph.graphs, set[str]()),
    ):
        for name in columns:
            if name not in held:
                raise refuse(form, f"{table} column {name!r}", remedy)


def check_column_names(named: NamedGraph) -> None:
    """Raise GraphError for a column whose name is not printable text, which no format could show."""
    graph = named.graph
    for table, columns in (("node", graph.nodes), ("edge", graph.edges), ("graph", graph.graphs)):
        for name in columns:
            if not name or not name.isprintable():
                raise GraphError(f"{table} column {name!r} has no printable name; rename it")
