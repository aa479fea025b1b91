"""DIMACS graphs (`.col`, `.clq`, `.mis`): undirected, nodes 1 to N, perhaps with weights.

    c a comment
    p edge 3 2          N nodes and M edges (or `p col 3 2`)
    n 1 2.5             the weight of a node, 1 where there is none
    e 1 2               an edge

Files that list each edge in both directions give parallel edges; `core.simplify` merges them.
"""

from __future__ import annotations

import torch

from graphwright.adapters.files.counted import check_counted, node_count, node_names, node_place, whole
from graphwright.adapters.files.refusal import refuse_columns
from graphwright.adapters.files.text import numbered_lines, spell, weight
from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphError

_REMEDY = "write .json, .graphml or .npz"


def read(data: bytes, _weight: str = "weight") -> NamedGraph:
    """The graph in `data`. Raises GraphError, naming the line, for a malformed one."""
    reader = _Reader()
    for line, text in numbered_lines(data):
        try:
            reader.take(line, text.split())
        except GraphError as error:
            raise GraphError(f"line {line}: {error}") from error
    return reader.graph()


class _Reader:
    """What the lines so far have said."""

    def __init__(self) -> None:
        self.header = 0
        self.num_nodes = self.num_edges = 0
        self.weights: dict[int, float] = {}
        self.links: list[tuple[int, int]] = []

    def take(self, line: int, words: list[str]) -> None:
        """Read the words of one line."""
        match words:
            case ["c", *_]:
                pass
            case ["p", "edge" | "edges" | "col", nodes, edges]:
                if self.header:
                    raise GraphError(f"a second 'p' line, after line {self.header}; keep one")
                self.header, self.num_nodes, self.num_edges = line, node_count(nodes), whole(edges)
            case ["n", node, value]:
                place = self.place(node)
                if place in self.weights:
                    raise GraphError(f"a second weight for node {node}; keep one")
                self.weights[place] = weight(value)
            case ["e", one, other]:
                self.links.append((self.place(one), self.place(other)))
            case _:
                form = "'c comment', 'p edge N M', 'n node weight' or 'e node node'"
                raise GraphError(f"{' '.join(words)[:40]!r} is not a line of a DIMACS graph; write {form}")

    def place(self, token: str) -> int:
        """The place, from 0, of the node `token`."""
        if not self.header:
            raise GraphError("comes before the line 'p edge N M'; put that line first")
        return node_place(token, self.num_nodes, self.header)

    def graph(self) -> NamedGraph:
        """The graph of all lines."""
        if not self.header:
            raise GraphError("has no line 'p edge N M'; add it at the top")
        if len(self.links) != self.num_edges:
            said = f"line {self.header}: says {self.num_edges} edges, but the file has {len(self.links)}"
            raise GraphError(f"{said}; correct the count, or complete the file if it was cut off")
        weights = torch.ones(self.num_nodes, dtype=torch.float64)
        if self.weights:
            weights[torch.tensor(list(self.weights))] = torch.tensor(list(self.weights.values()), dtype=torch.float64)
        return NamedGraph.from_links(node_names(self.num_nodes), self.links, directed=False, nodes={"weight": weights})


def write(named: NamedGraph) -> bytes:
    """`named` as a DIMACS graph. Raises GraphError for what that cannot hold."""
    form = "a DIMACS graph (.col, .clq, .mis)"
    check_counted(form, named)
    refuse_columns(form, named, _REMEDY)
    links, _ = named.links()
    lines = [f"p edge {named.graph.num_nodes} {links.shape[1]}"]
    if "weight" in named.graph.nodes:
        weights = enumerate(named.graph.nodes["weight"].tolist(), start=1)
        lines += [f"n {node} {spell(value)}" for node, value in weights if value != 1]
    lines += [f"e {one} {other}" for one, other in (links.T + 1).tolist()]
    return "".join(line + "\n" for line in lines).encode()
