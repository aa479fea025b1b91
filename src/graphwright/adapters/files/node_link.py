"""Node-link JSON (`.json`), the format of networkx and D3: {"directed", "multigraph", "graph", "nodes", "edges"}."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

import torch

from graphwright.adapters.columns import Row
from graphwright.adapters.files.queueing import as_node_link, is_published, with_arrivals, with_chances, with_law
from graphwright.adapters.files.refusal import refuse
from graphwright.adapters.files.text import decode
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.rows import RowGraph
from graphwright.core import GraphError

_FORM = "node-link JSON"
_ENDS = ("source", "target")


def read(data: bytes) -> NamedGraph:
    """The graph in `data`.

    The edges may also be called "links"; null is a missing value; the "key" of an edge of a multigraph is no column.
    What queueing networks say beyond numbers is in `queueing.py`.
    Raises GraphError, naming the line or the node or edge, for a malformed one.
    """
    try:
        document = _parse(decode(data))
        return _rows(as_node_link(document) if is_published(document) else document).to_named(_FORM)
    except RecursionError as error:
        raise GraphError("lists inside lists without end; repair the file or fetch it again") from error


def _parse(text: str) -> dict[str, object]:
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise GraphError(f"line {error.lineno}: not JSON ({error.msg}); repair the file or fetch it again") from error
    except GraphError:
        raise
    except ValueError as error:
        raise GraphError("a number with thousands of digits; correct it, or write it as text") from error
    if not isinstance(document, dict):
        raise GraphError("not an object {}; node-link JSON is an object with 'nodes' and 'edges'")
    return document


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object whose keys are all different. Raises GraphError for one that has a key twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise GraphError(f"an object has {twice[:40]!r} twice; keep one")
    return found


def _rows(document: dict[str, object]) -> RowGraph:
    if "edges" in document and "links" in document:
        raise GraphError("both 'edges' and 'links'; keep one of them")
    nodes = _objects(document, "nodes")
    edges = _objects(document, "links" if "links" in document else "edges")
    directed, multigraph = document.get("directed", False), document.get("multigraph", True)
    graph = document.get("graph", {})
    if not isinstance(directed, bool) or not isinstance(multigraph, bool) or not isinstance(graph, dict):
        raise GraphError("'directed' and 'multigraph' must be true or false, and 'graph' an object {}; correct them")
    nodes, edges = _with_ids(nodes, edges)
    place: dict[str, int] = {}
    for index, node in enumerate(nodes):
        if place.setdefault(_name(node, "id", f"node {index}"), index) != index:
            raise GraphError(f"node {index}: a second node {node['id']!r}; give each node its own id")
    return RowGraph(
        names=list(place),
        directed=directed,
        nodes=with_arrivals(with_chances([_row(node, {"id"}) for node in nodes], graph), place),
        links=[(_end(e, "source", i, place), _end(e, "target", i, place)) for i, e in enumerate(edges)],
        edges=[_row(edge, {"source", "target", *(["key"] if multigraph else [])}) for edge in edges],
        graph=with_law(_row(graph, set())),
    )


def _with_ids(nodes: list[Row], edges: list[Row]) -> tuple[list[Row], list[Row]]:
    """Nodes and edges as networkx writes them, from what D3 also reads: nodes with names, and edges by their places."""
    names = [node.get("name") for node in nodes]
    if any("id" in node for node in nodes) or not all(isinstance(name, str) for name in names):
        return nodes, edges
    named = [{"id": node["name"], **{key: value for key, value in node.items() if key != "name"}} for node in nodes]
    if any(type(end) is not int or not 0 <= end < len(names) for edge in edges for end in map(edge.get, _ENDS)):
        return named, edges
    return named, [{**edge, **{side: names[place] for side, place in _places(edge)}} for edge in edges]


def _places(edge: Row) -> list[tuple[str, int]]:
    return [(side, place) for side in _ENDS if isinstance(place := edge[side], int)]


def _objects(document: dict[str, object], name: str) -> list[Row]:
    objects = document.get(name)
    if not isinstance(objects, list) or not all(isinstance(item, dict) for item in objects):
        raise GraphError(f"{name!r} is not a list of objects; node-link JSON has 'nodes' and 'edges' (or 'links')")
    return objects


def _end(edge: Row, side: str, index: int, place: Mapping[str, int]) -> int:
    name = _name(edge, side, f"edge {index}")
    if name not in place:
        raise GraphError(f"edge {index}: its {side} {name!r} is no node; add the node or drop the edge")
    return place[name]


def _name(item: Row, key: str, which: str) -> str:
    """A node's name: its id as networkx would print it, a list as a tuple."""
    value = item.get(key)
    if value is None or isinstance(value, dict):
        raise GraphError(f"{which}: no {key!r}; give it one, a text or a number")
    return str(_tuples(value))


def _tuples(value: object) -> object:
    return tuple(_tuples(inner) for inner in value) if isinstance(value, list) else value


def _row(item: Row, without: set[str]) -> Row:
    return {key: _nulls_to_nan(value) for key, value in item.items() if key not in without}


def _nulls_to_nan(value: object) -> object:
    if not isinstance(value, list):
        return value
    return [float("nan") if inner is None else _nulls_to_nan(inner) for inner in value]


def write(named: NamedGraph) -> bytes:
    """`named` as node-link JSON, NaN as null. Raises GraphError for what that cannot hold."""
    rows = RowGraph.from_named(named)
    multigraph = len(set(rows.links)) < len(rows.links)
    graph = named.graph
    for table, columns, taken in (
        ("node", graph.nodes, {"id"}),
        ("edge", graph.edges, {"source", "target", *(["key"] if multigraph else [])}),
        ("graph", graph.graphs, set[str]()),
    ):
        for name, column in columns.items():
            if name in taken:
                raise refuse(_FORM, f"{table} column {name!r}, a name it uses itself", "write .npz, or rename it")
            if column.is_floating_point() and bool(torch.isinf(column).any()):
                raise refuse(_FORM, f"{table} column {name!r} with infinity in it", "write .npz")
    keys: dict[tuple[int, int], int] = {}
    edges: list[Row] = []
    for link, row in zip(rows.links, rows.edges, strict=True):
        keys[link] = keys.get(link, -1) + 1
        key = {"key": keys[link]} if multigraph else {}
        edges.append({"source": rows.names[link[0]], "target": rows.names[link[1]], **key, **row})
    document = {
        "directed": rows.directed,
        "multigraph": multigraph,
        "graph": rows.graph,
        "nodes": [{"id": name, **row} for name, row in zip(rows.names, rows.nodes, strict=True)],
        "edges": edges,
    }
    return json.dumps(_nan_to_nulls(document), allow_nan=False).encode()


def _nan_to_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: _nan_to_nulls(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_nan_to_nulls(inner) for inner in value]
    return None if value != value else value
