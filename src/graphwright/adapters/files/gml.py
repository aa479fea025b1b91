"""GML (`.gml`), as Newman's network data and igraph write it; read by networkx.

Himsolt (1997), "GML: a portable graph file format". Parallel edges are read whether the file announces them or not, and
letters beyond ASCII as they are.
"""

from __future__ import annotations

import re

import networkx as nx

from graphwright.adapters.files.text import decode
from graphwright.adapters.files.through_networkx import through_networkx
from graphwright.adapters.named_graph import NamedGraph

_GRAPH = re.compile(r"^(\s*graph\s*\[)", re.MULTILINE | re.IGNORECASE)
_NODE = re.compile(r"\bnode\s*\[")
_DIRECTED = re.compile(r"\bdirected\s+([01])\b")
_MULTIGRAPH = re.compile(r"^\s*multigraph\s+1\b", re.MULTILINE)


def read(data: bytes) -> NamedGraph:
    """The graph in `data`. Raises GraphError for a malformed one."""
    text = "".join(letter if letter.isascii() else f"&#{ord(letter)};" for letter in decode(data))
    if not _MULTIGRAPH.search(text):
        text = _GRAPH.sub(r"\1\n  multigraph 1\n", text, count=1)
    head = _DIRECTED.search(text, 0, node.start() if (node := _NODE.search(text)) else len(text))
    directed = head is not None and head[1] == "1"
    if head is not None:  # networkx forgets which way round undirected edges stand
        text = f"{text[: head.start()]}directed 1{text[head.end() :]}"
    else:
        text = _GRAPH.sub(r"\1\n  directed 1\n", text, count=1)
    return through_networkx("GML", lambda: nx.parse_gml(text.split("\n"), label=None), directed=directed)
