"""GEXF (`.gexf`), as Gephi writes it; read by networkx, after it was checked to be well-formed and whole."""

from __future__ import annotations

import io
from collections.abc import Iterator

import networkx as nx

from graphwright.adapters.files.text import decode
from graphwright.adapters.files.through_networkx import through_networkx
from graphwright.adapters.files.xml import Element, parse
from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphError

_NEWER = ("http://gexf.net/1.3", "http://www.gexf.net/1.3", "http://www.gexf.net/1.3draft")
_KNOWN = "http://www.gexf.net/1.2draft"


def read(data: bytes) -> NamedGraph:
    """The graph in `data`. Raises GraphError, naming the line where it can, for a malformed one."""
    text = decode(data)
    root = parse(text)
    if root.tag != "gexf":
        raise GraphError(f"line {root.line}: <{root.tag}>, but a GEXF file holds <gexf>; rename the file")
    elements = list(_all(root))
    nodes = {element.get("id") for element in elements if element.tag == "node"}
    for edge in (element for element in elements if element.tag == "edge"):
        for side in ("source", "target"):
            if edge.get(side) not in nodes:
                raise GraphError(
                    f"line {edge.line}: {side} {edge.get(side)!r} is no node; add the node or drop the edge"
                )
    for newer in _NEWER:
        text = text.replace(f'"{newer}"', f'"{_KNOWN}"')
    start = text.index("<", text.index("?>") + 2) if text.lstrip().startswith("<?xml") else 0
    return through_networkx("GEXF", lambda: nx.read_gexf(io.BytesIO(text[start:].encode()), node_type=str))


def _all(root: Element) -> Iterator[Element]:
    waiting = [root]
    while waiting:
        element = waiting.pop()
        yield element
        waiting += element.children
