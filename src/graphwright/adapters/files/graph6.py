"""graph6 and sparse6 (`.g6`, `.s6`), one graph a file, as nauty writes them; read by networkx. Nodes are 0 to N − 1.

McKay & Piperno (2014), "Practical graph isomorphism, II", and the description that comes with nauty.
"""

from __future__ import annotations

import networkx as nx
from networkx.readwrite.graph6 import data_to_n

from graphwright.adapters.files.counted import node_count
from graphwright.adapters.files.through_networkx import through_networkx
from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphError


def read(data: bytes) -> NamedGraph:
    """The graph in `data`. Raises GraphError for a malformed one, and where there are several."""
    lines = data.split()
    if len(lines) != 1:
        raise GraphError(f"holds {len(lines)} graphs; keep one line")
    text = lines[0].removeprefix(b">>graph6<<").removeprefix(b">>sparse6<<")
    if text.startswith(b"&"):
        raise GraphError("is digraph6, which is not read; write graph6 or sparse6")
    sparse = text.startswith(b":")
    if not text or any(not 63 <= byte <= 126 for byte in text.removeprefix(b":")):
        raise GraphError("has other characters than graph6 and sparse6 use; fetch it again")

    def parse() -> nx.Graph:
        size, _ = data_to_n([byte - 63 for byte in text.removeprefix(b":")])
        node_count(str(size), len(data))
        return nx.from_sparse6_bytes(text) if sparse else nx.from_graph6_bytes(text)

    return through_networkx("sparse6" if sparse else "graph6", parse)
