"""Saying what a format cannot hold, instead of dropping it."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphError


def refuse(form: str, what: str, remedy: str) -> GraphError:
    """The error for a graph that the format `form` cannot hold."""
    return GraphError(f"{form} cannot hold {what}; {remedy}")


def refuse_columns(
    form: str,
    named: NamedGraph,
    remedy: str,
    *,
    nodes: Collection[str] = (),
    edges: Collection[str] = (),
    graphs: Collection[str] = (),
) -> None:
    """Raise GraphError if `named` has columns besides the node column `weight` and these."""
    graph = named.graph
    for table, columns, held in (
        ("node", graph.nodes, {"weight", *nodes}),
        ("edge", graph.edges, {"reverse", *edges}),
        ("graph", graph.graphs, {*graphs}),
    ):
        for name in columns:
            if name not in held:
                raise refuse(form, f"{table} column {name!r}", remedy)


def refuse_weights(form: str, named: NamedGraph, remedy: str) -> None:
    """Raise GraphError if the node column `weight` of `named` is not what is read where a file has no weights."""
    weight = named.graph.nodes.get("weight")
    if weight is not None and bool((weight != 1).any()):
        raise refuse(form, "node column 'weight' unless it is 1 throughout", remedy)


def check_column(form: str, kind: str, column: Tensor | None, dtype: torch.dtype, row: tuple[int, ...] = ()) -> Tensor:
    """`column`, of `dtype` and with rows of the shape `row`. Raises GraphError if it is None or another.

    kind: what to call it, such as "edge column 'length'".
    """
    wanted = f"{dtype} of shape {['rows', *row]}".replace("'", "")
    if column is None:
        raise GraphError(f"{form} needs the {kind}, {wanted}; add it, or write .json or .npz")
    if column.dtype != dtype or column.shape[1:] != row:
        raise refuse(form, f"{kind} of {column.dtype} {list(column.shape)}, only {wanted}", "convert it, or write .npz")
    return column


def check_column_names(named: NamedGraph) -> None:
    """Raise GraphError for a column whose name is not printable text, which no format could show."""
    graph = named.graph
    for table, columns in (("node", graph.nodes), ("edge", graph.edges), ("graph", graph.graphs)):
        for name in columns:
            if not name or not name.isprintable():
                raise GraphError(f"{table} column {name!r} has no printable name; rename it")
