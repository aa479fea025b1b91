"""networkx graphs to `GraphBatch` and back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import networkx as nx

from graphwright.adapters.columns import Row
from graphwright.adapters.left_out import say_left_out
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.rows import RowGraph
from graphwright.core import GraphBatch, GraphError


def from_networkx(
    graph: nx.Graph, *, node_columns: Collection[str] | None = None, edge_columns: Collection[str] | None = None
) -> NamedGraph:
    """A `NamedGraph` from any networkx graph; nodes keep their order and are named `str(node)`.

    node_columns, edge_columns: the attributes to take; by default every one that makes a column by the rule of
        `adapters.columns` (numbers, booleans, lists of them; missing ones are NaN; text is left out). Numeric
        attributes of the graph itself become graph columns [1, ...].

    Parallel edges and self-loops stay; the keys of parallel edges are no columns. What is left out is named by a
    `LeftOut` warning, except keys that networkx gave itself. Raises GraphError for a named attribute that is not
    numeric or stands nowhere, for an edge attribute `reverse`, for integers that no column can hold, and for two nodes
    that look the same as text.
    """
    rows = rows_of(graph, node_columns, edge_columns)
    named = rows.to_named("networkx graph")
    lost = set(named.reading.ignored)
    if graph.is_multigraph() and any(isinstance(key, str) for *_, key in graph.edges(keys=True)):
        lost.add("key of parallel edges")
    say_left_out("networkx graph", lost)
    _check_chosen("node", node_columns, rows.nodes, named.graph.nodes)
    _check_chosen("edge", edge_columns, rows.edges, named.graph.edges)
    return named


def rows_of(
    graph: nx.Graph, node_columns: Collection[str] | None = None, edge_columns: Collection[str] | None = None
) -> RowGraph:
    """`graph` row by row, with all of its attributes or those that are chosen."""
    place = {node: index for index, node in enumerate(graph)}
    return RowGraph(
        names=[str(node) for node in graph],
        directed=graph.is_directed(),
        nodes=_chosen(node_columns, [data for _, data in graph.nodes(data=True)]),
        links=[(place[source], place[target]) for source, target in graph.edges()],
        edges=_chosen(edge_columns, [data for *_, data in graph.edges(data=True)]),
        graph={str(name): value for name, value in graph.graph.items()},
    )


def to_networkx(graph: NamedGraph | GraphBatch) -> nx.Graph:
    """The networkx graph of a `NamedGraph`, or of a batch of one graph, whose nodes are then 0, 1, ...

    A Graph or DiGraph, or, with parallel edges, a MultiGraph or MultiDiGraph. Columns become attributes of plain Python
    values, and the graph attribute `graphwright` (a text) notes their types, so that `from_networkx` returns the very
    same graph. Raises GraphError for several graphs, for column types that Python does not have, and for an undirected
    graph whose edge columns differ between the two directions.
    """
    named = graph if isinstance(graph, NamedGraph) else NamedGraph.numbered(graph)
    rows = RowGraph.from_named(named)
    nodes: Sequence[Any] = named.names if isinstance(graph, NamedGraph) else range(graph.num_nodes)
    parallel = len(set(rows.links)) < len(rows.links)
    result = _KINDS[rows.directed, parallel]()
    result.graph.update(rows.graph)
    result.add_nodes_from(zip(nodes, rows.nodes, strict=True))
    result.add_edges_from(
        (nodes[one], nodes[other], row) for (one, other), row in zip(rows.links, rows.edges, strict=True)
    )
    return result


_KINDS: dict[tuple[bool, bool], type[nx.Graph]] = {
    (False, False): nx.Graph,
    (True, False): nx.DiGraph,
    (False, True): nx.MultiGraph,
    (True, True): nx.MultiDiGraph,
}


def _chosen(columns: Collection[str] | None, rows: list[dict[Any, object]]) -> list[Row]:
    if columns is None:
        return [{str(name): value for name, value in row.items()} for row in rows]
    return [{name: row[name] for name in columns if name in row} for row in rows]


def _check_chosen(table: str, chosen: Collection[str] | None, rows: list[Row], columns: Collection[str]) -> None:
    for name in chosen or ():
        if rows and name not in columns:
            raise GraphError(
                f"{table} attribute {name!r} is on no {table}, or not a number on all; choose another column"
            )
