"""Objects as others read them."""

from __future__ import annotations

import json

from graphwright.core import GraphBatch
from graphwright.envs.reversible import Reversible


def node_link_lines(environment: Reversible, objects: GraphBatch) -> list[str]:
    """A JSON document a graph: the node-link format of networkx, whose `node_link_graph` reads it.

    {"directed", "multigraph", "nodes": [{"id", ...columns}], "edges": [{"source", "target", ...}]}.
    """
    rows, links = objects.links
    source, target = (objects.edge_index[:, rows] - objects.node_ptr[:-1][objects.edge_graph[rows]]).tolist()
    nodes = {name: column.tolist() for name, column in objects.nodes.items()}
    edges = {name: column[rows].tolist() for name, column in objects.edges.items() if name != "reverse"}
    node_ptr, link_ptr = objects.node_ptr.tolist(), links.ptr.tolist()
    lines = []
    for place in range(objects.num_graphs):
        begin, end = node_ptr[place : place + 2]
        document = {
            "directed": "reverse" not in objects.edges,
            "multigraph": False,
            "nodes": [{"id": k - begin, **{name: nodes[name][k] for name in nodes}} for k in range(begin, end)],
            "edges": [
                {"source": source[k], "target": target[k], **{name: edges[name][k] for name in edges}}
                for k in range(*link_ptr[place : place + 2])
            ],
        }
        lines.append(json.dumps(document, separators=(",", ":")))
    return lines
