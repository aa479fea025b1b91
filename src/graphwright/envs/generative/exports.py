"""Objects as others read them."""

from __future__ import annotations

import json
from collections.abc import Callable

import torch

from graphwright.core import GraphBatch
from graphwright.envs.reversible import Reversible

_LONGEST = 200


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


def chosen_lines(column: str) -> Callable[[Reversible, GraphBatch], list[str]]:
    """An export of graphs of which nodes were chosen, those where the bool node column of that name is true.

    A JSON document a line: {"nodes": how many, "edges": [[u, v], ...], "chosen": [...]}.
    """

    def export(environment: Reversible, objects: GraphBatch) -> list[str]:
        rows, links = objects.links
        ends = (objects.edge_index[:, rows] - objects.node_ptr[:-1][objects.edge_graph[rows]]).T
        lines = []
        for place, edges in enumerate(ends.split(links.lengths.tolist())):
            chosen = objects.nodes[column][slice(*objects.node_ptr[place : place + 2].tolist())]
            document = {
                "nodes": chosen.numel(), "edges": edges.tolist(), "chosen": chosen.nonzero().squeeze(1).tolist()
            }  # fmt: skip
            lines.append(json.dumps(document, separators=(",", ":")))
        return lines

    return export


def described(environment: Reversible, state: GraphBatch, place: int = 0) -> str:
    """One graph of `state` in few words: a node-link line, cut where it is long."""
    line = node_link_lines(environment, state.select(torch.tensor([place])))[0]
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
