"""`RowGraph`: a graph as rows of attributes, which is how networkx, GraphML and node-link JSON all hold it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import torch

from graphwright.adapters.columns import Declared, Row, left_out, to_columns, to_rows
from graphwright.adapters.listed_links import from_listed
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.reading import Reading
from graphwright.core import GraphBatch, GraphError

RECORD = "graphwright"
OF_GRAPH = "graph attribute"
"""How the attributes of the whole are called among those that are not read."""
_TABLES = ("nodes", "edges", "graphs")
_INTEGERS = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_DTYPES = {str(dtype).removeprefix("torch."): dtype for dtype in (*_INTEGERS, *_FLOATS)}


@dataclass(frozen=True)
class RowGraph:
    """One graph, row by row.

    names: [N] node names; nodes: [N] their attributes.
    links: [L] pairs of places in `names`, an undirected link once; edges: [L] their attributes.
    graph: the attributes of the whole. `RECORD` among them is a text in which `from_named` notes the dtype and row
        shape of every column, so that `to_named` gives back the very same columns; graphs from elsewhere have none.
    """

    names: list[str]
    directed: bool
    nodes: list[Row]
    links: list[tuple[int, int]]
    edges: list[Row]
    graph: Row

    @staticmethod
    def from_named(named: NamedGraph) -> RowGraph:
        """`named` as rows. Raises GraphError for columns of other types than booleans, integers and floats."""
        graph = named.graph
        links, columns = named.links()
        record = {RECORD: _record(graph)} if graph.nodes or columns or graph.graphs else {}
        return RowGraph(
            names=list(named.names),
            directed=named.directed,
            nodes=to_rows(graph.nodes, graph.num_nodes),
            links=[(one, other) for one, other in links.T.tolist()],
            edges=to_rows(columns, links.shape[1]),
            graph={**to_rows(graph.graphs, 1)[0], **record},
        )

    def to_named(self, form: str) -> NamedGraph:
        """The graph with its attributes as columns, by the rule of `adapters.columns`; form: what it is called.

        Raises GraphError as `to_columns` and `NamedGraph.from_links` do, and for weights of nodes or edges that are
        not numbers.
        """
        declared = _read_record(self.graph.get(RECORD))
        nodes, edges = to_columns(self.nodes, declared["nodes"]), to_columns(self.edges, declared["edges"])
        ignored = []
        for table, rows, columns in (("node", self.nodes, nodes), ("edge", self.edges, edges)):
            names = left_out(rows, columns)
            if "weight" in names:
                raise GraphError(f"{table} attribute 'weight' is not a number on every {table}; correct or rename it")
            ignored += [f"{table} attribute {name!r}" for name in names]
        graphs = to_columns([self.graph], declared["graphs"])
        ignored += [f"{OF_GRAPH} {name!r}" for name in self.graph if name not in graphs and name != RECORD]
        return from_listed(
            self.names,
            self.links,
            directed=self.directed,
            nodes=nodes,
            edges=edges,
            graphs=graphs,
            reading=Reading(format=form, ignored=tuple(ignored)),
        )


def _record(graph: GraphBatch) -> str:
    """The dtype and row shape of every column: {"nodes": {"weight": ["float32"], "position": ["float32", 2]}, ...}."""
    if RECORD in graph.graphs:
        raise GraphError(f"graph column {RECORD!r} has the name of the note on column types; rename it")
    record: dict[str, dict[str, list[object]]] = {}
    for table, columns in zip(_TABLES, (graph.nodes, graph.edges, graph.graphs), strict=True):
        record[table] = {}
        for name, column in columns.items():
            dtype = str(column.dtype).removeprefix("torch.")
            if dtype not in _DTYPES:
                raise GraphError(f"column {name!r} is {dtype}, which rows of Python numbers cannot hold; write .npz")
            if name != "reverse":
                record[table][name] = [dtype, *column.shape[1:]]
    return json.dumps(record)


def _read_record(text: object) -> dict[str, Declared]:
    if text is None:
        return {table: {} for table in _TABLES}
    try:
        record = json.loads(text)  # type: ignore[arg-type]
        declared: dict[str, Declared] = {
            table: {name: (_DTYPES[dtype], tuple(shape)) for name, (dtype, *shape) in record[table].items()}
            for table in _TABLES
        }
        for columns in declared.values():
            for dtype, shape in columns.values():
                torch.empty((0, *shape), dtype=dtype)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError, RecursionError) as error:
        raise GraphError(f"graph attribute {RECORD!r}, the note on column types, is damaged; delete it") from error
    return declared
