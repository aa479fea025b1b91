"""GraphML (`.graphml`): one graph with typed data on its nodes, its edges and itself.

Read here and not by networkx, whose reader makes nodes of dangling ends, merges nodes that stand twice and parallel
edges that share an id, and leaves out the defaults of keys. Graphs inside nodes are flattened; ports and drawings of
yFiles are left out; hyperedges are refused. `int` is read as int64 and `float` as float64: many files mean these.

Nodes are named by their text attribute `label` (as in the Internet Topology Zoo) if all have one and no two the same,
and otherwise by their ids. Files written here have no such attribute: their ids are the names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NoReturn
from xml.sax.saxutils import quoteattr

from graphwright.adapters.columns import Row
from graphwright.adapters.files.graphml_data import Key, attributes, kind_of, spell
from graphwright.adapters.files.refusal import refuse
from graphwright.adapters.files.text import decode
from graphwright.adapters.files.xml import Element, parse
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.rows import RECORD, RowGraph
from graphwright.core import GraphError

_FEW_CELLS, _MOST_CELLS = 100_000, 8  # of defaults: for any file, and for each of its bytes
_NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read(data: bytes) -> NamedGraph:
    """The graph in `data`. Raises GraphError, naming the line, for a malformed one."""
    root = parse(decode(data))
    graphs = list(root.all("graph"))
    if root.tag != "graphml" or len(graphs) != 1:
        _fail(root, f"<{root.tag}> with {len(graphs)} graphs; a file holds <graphml> with one <graph>")
    keys = {element.get("id"): Key.of(element) for element in root.all("key")}
    _check_defaults(root, keys.values(), len(data))
    nodes: dict[str, Row] = {}
    edges: list[Element] = []
    for element in _flat(graphs[0]):
        if element.tag == "edge":
            edges.append(element)
        elif element.get("id") in nodes:
            _fail(element, f"a second node {element.get('id')!r}; give each node its own id")
        else:
            nodes[element.get("id")] = attributes(element, keys)
    place = {name: index for index, name in enumerate(nodes)}
    return RowGraph(
        names=_names(nodes),
        directed=_directed(graphs[0], edges),
        nodes=list(nodes.values()),
        links=[(_end(edge, "source", place), _end(edge, "target", place)) for edge in edges],
        edges=[attributes(edge, keys) for edge in edges],
        graph=attributes(graphs[0], keys),
    ).to_named("GraphML")


def _check_defaults(root: Element, keys: Collection[Key], size: int) -> None:
    """Raise GraphError where the defaults of all keys on all rows take memory out of proportion to a file's `size`."""
    defaults = sum(key.default is not None for key in keys)
    rows = root.size()
    if defaults * rows > max(_FEW_CELLS, _MOST_CELLS * size):
        raise GraphError(f"{defaults} keys with defaults for {rows} elements; keep those that are needed")


def _names(nodes: Mapping[str, Row]) -> list[str]:
    """The labels of the nodes, each on one line, if all are texts and different; otherwise their ids."""
    labels = [row.get("label") for row in nodes.values()]
    texts = [" ".join(label.split()) for label in labels if isinstance(label, str)]
    named_by_label = len(texts) == len(nodes) and len(set(texts) - {""}) == len(nodes)
    return texts if named_by_label else list(nodes)


def _fail(element: Element, message: str) -> NoReturn:
    raise GraphError(f"line {element.line}: {message}")


def _flat(graph: Element) -> Iterator[Element]:
    """The nodes and edges of `graph` and of the graphs inside its nodes, in the order of the file."""
    waiting = graph.children[::-1]
    while waiting:
        element = waiting.pop()
        if element.tag == "hyperedge":
            _fail(element, "a hyperedge; only edges with two ends can be read")
        if element.tag in ("node", "edge"):
            yield element
            waiting += list(element.all("graph"))[::-1]
        elif element.tag == "graph":
            waiting += element.children[::-1]


def _end(edge: Element, side: str, place: Mapping[str, int]) -> int:
    if edge.get(side) not in place:
        _fail(edge, f"{side} {edge.get(side)!r} is no node; add the node or drop the edge")
    return place[edge.get(side)]


def _directed(graph: Element, edges: list[Element]) -> bool:
    """Whether all edges are directed. Raises GraphError for edges of both kinds."""
    default = {"directed": "true", "undirected": "false"}.get(graph.attributes.get("edgedefault", "undirected"), "")
    words = [(element, element.attributes.get("directed", default)) for element in edges] or [(graph, default)]
    for element, word in words:
        if word not in ("true", "false"):
            _fail(element, "an unknown direction; write edgedefault='undirected', directed='false', or their opposites")
        if word != words[0][1]:
            _fail(element, "directed and undirected edges in one graph; make all of them one kind")
    return words[0][1] == "true"


def write(named: NamedGraph) -> bytes:
    """`named` as GraphML. Raises GraphError for what that cannot hold."""
    rows = RowGraph.from_named(named)
    for name in named.names:
        if _NOT_XML.search(name):
            raise refuse("GraphML", f"the node name {name!r}, which has characters XML lacks", "write .json or .npz")
    keys = _declared(named, rows)

    def data(table: str, row: Row) -> str:
        return "".join(f'<data key="{keys[table, name][0]}">{spell(value)}</data>' for name, value in row.items())

    lines = ['<?xml version="1.0" encoding="utf-8"?>', f'<graphml xmlns="{_NAMESPACE}">']
    for (table, name), (key, kind) in keys.items():
        lines.append(f'  <key id="{key}" for="{table}" attr.name={quoteattr(name)} attr.type="{kind}"/>')
    lines.append(f'  <graph edgedefault="{"directed" if named.directed else "undirected"}">{data("graph", rows.graph)}')
    for name, row in zip(rows.names, rows.nodes, strict=True):
        lines.append(f"    <node id={quoteattr(name)}>{data('node', row)}</node>")
    for (one, other), row in zip(rows.links, rows.edges, strict=True):
        ends = f"source={quoteattr(rows.names[one])} target={quoteattr(rows.names[other])}"
        lines.append(f"    <edge {ends}>{data('edge', row)}</edge>")
    return "\n".join([*lines, "  </graph>", "</graphml>", ""]).encode()


def _declared(named: NamedGraph, rows: RowGraph) -> dict[tuple[str, str], tuple[str, str]]:
    """The id and type of the key of each column, by its table and name. Raises GraphError for columns of vectors."""
    graph = named.graph
    kinds = {}
    for table, columns in (("node", graph.nodes), ("edge", graph.edges), ("graph", graph.graphs)):
        for name, column in columns.items():
            if column.dim() != 1:
                what = f"{table} column {name!r} of shape {list(column.shape)}, only columns of single numbers"
                raise refuse("GraphML", what, "write .json or .npz")
            if (table, name) != ("edge", "reverse"):
                kinds[table, name] = kind_of(column.dtype)
    if RECORD in rows.graph:
        kinds["graph", RECORD] = "string"
    return {place: (f"d{index}", kind) for index, (place, kind) in enumerate(kinds.items())}
