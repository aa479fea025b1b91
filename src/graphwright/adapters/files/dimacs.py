"""DIMACS graphs (`.col`, `.clq`, `.mis`, `.gr`): nodes 1 to N, perhaps with weights of nodes or links.

    c a comment
    p edge 3 2          N nodes and M edges (or `p col 3 2`, `p sp 3 2`, `p td 3 2`, perhaps with one number more)
    n 1 2.5             the weight of a node, 1 where there is none
    e 1 2               an edge; a third number is its weight; `1 2` alone under `p td` and its like (PACE)
    a 1 2 7             an arc with its weight, in shortest path files: the graph is directed

A header may count each edge twice. The lines d, v and x, which describe how a graph was made, are not read.
"""

from __future__ import annotations

import torch

from graphwright.adapters.files.counted import check_counted, node_count, node_names, node_place, whole
from graphwright.adapters.files.refusal import check_column, refuse_columns
from graphwright.adapters.files.text import numbered_lines
from graphwright.adapters.listed_links import from_listed
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.numbers import decimal, spell
from graphwright.adapters.reading import Reading
from graphwright.core import GraphError

_REMEDY = "write .json, .graphml or .npz"


def read(data: bytes) -> NamedGraph:
    """The graph in `data`. Raises GraphError, naming the line, for a malformed one."""
    reader = _Reader(len(data))
    for line, text in numbered_lines(data):
        try:
            reader.take(line, text.split())
        except GraphError as error:
            raise GraphError(f"line {line}: {error}") from error
    return reader.graph()


class _Reader:
    """What the lines so far have said."""

    def __init__(self, size: int) -> None:
        self.size, self.header = size, 0
        self.num_nodes = self.num_edges = 0
        self.weights: dict[int, float] = {}
        self.links: list[tuple[int, int]] = []
        self.values: list[float] = []
        self.arcs = 0
        self.described = False

    def take(self, line: int, words: list[str]) -> None:
        """Read the words of one line."""
        match words:
            case ["c" | "#" | "%", *_]:
                pass
            case ["d" | "v" | "x", *_]:
                self.described = True
            case ["p", _, nodes, edges] | ["p", _, nodes, edges, _]:
                if self.header:
                    raise GraphError(f"a second 'p' line, after line {self.header}; keep one")
                self.header, self.num_nodes, self.num_edges = line, node_count(nodes, self.size), whole(edges)
            case ["n", node, value]:
                place = self.place(node)
                if place in self.weights:
                    raise GraphError(f"a second weight for node {node}; keep one")
                self.weights[place] = decimal(value)
            case ["e" | "a" as kind, one, other, *value] if len(value) < 2:
                self.link(one, other, value)
                self.arcs += kind == "a"
            case [one, other] if one.isdigit():
                self.link(one, other, [])
            case _:
                form = "'c comment', 'p edge N M', 'n node weight' or 'e node node'"
                raise GraphError(f"{' '.join(words)[:40]!r} is not a line of a DIMACS graph; write {form}")

    def link(self, one: str, other: str, value: list[str]) -> None:
        """Read an edge and its weight, which every edge has or none."""
        self.links.append((self.place(one), self.place(other)))
        self.values += map(decimal, value)
        if len(self.values) not in (0, len(self.links)):
            raise GraphError("some edges have a weight and this one differs; give every edge one, or none")

    def place(self, token: str) -> int:
        """The place, from 0, of the node `token`."""
        if not self.header:
            raise GraphError("comes before the line 'p edge N M'; put that line first")
        return node_place(token, self.num_nodes, self.header)

    def graph(self) -> NamedGraph:
        """The graph of all lines."""
        if not self.header:
            raise GraphError("has no line 'p edge N M'; add it at the top")
        found = len(self.links)
        if self.num_edges not in (found, 2 * found):
            said = f"line {self.header}: says {self.num_edges} edges, but the file has {found}"
            raise GraphError(f"{said}; correct the count, or complete the file if it was cut off")
        if self.arcs not in (0, found):
            raise GraphError("has edges ('e') and arcs ('a'); make all of them one kind")
        weights = torch.ones(self.num_nodes, dtype=torch.float64)
        if self.weights:
            weights[torch.tensor(list(self.weights))] = torch.tensor(list(self.weights.values()), dtype=torch.float64)
        notes = (
            *(["the header counts each edge twice"] if found and self.num_edges == 2 * found else []),
            *(["lines d, v, x are not read"] if self.described else []),
        )
        return from_listed(
            node_names(self.num_nodes),
            self.links,
            directed=self.arcs > 0,
            nodes={"weight": weights} if self.weights else {},
            edges={"weight": torch.tensor(self.values, dtype=torch.float64)} if self.values else {},
            reading=Reading(format="DIMACS", notes=notes),
        )


def write(named: NamedGraph) -> bytes:
    """`named` as a DIMACS graph. Raises GraphError for what that cannot hold."""
    form = "a DIMACS graph (.col, .clq, .mis, .gr)"
    check_counted(form, named)
    refuse_columns(form, named, _REMEDY)
    links, _ = named.links()
    if "weight" in named.graph.nodes:
        check_column(form, "node column 'weight'", named.graph.nodes["weight"], torch.float64)
    lines = [f"p edge {named.graph.num_nodes} {links.shape[1]}"]
    if "weight" in named.graph.nodes:
        weights = enumerate(named.graph.nodes["weight"].tolist(), start=1)
        lines += [f"n {node} {spell(value)}" for node, value in weights if value != 1]
    lines += [f"e {one} {other}" for one, other in (links.T + 1).tolist()]
    return "".join(line + "\n" for line in lines).encode()
