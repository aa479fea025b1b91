"""Pajek networks (`.net`): nodes 1 to N with labels, and arcs or edges with weights.

    *Vertices 3
    1 "Reno" 0.1 0.2    a number, perhaps a name, and a place, the node column `position` [N, 2]
    *Edges              or *Arcs, of a directed graph; also *Edgeslist and *Arcslist, one node and its neighbours a line
    1 2 7               two nodes and perhaps a weight

Read here and not by networkx, which takes lines of links for nodes where a file names only some of its nodes, and mixes
arcs with edges. Batagelj & Mrvar (1998), "Pajek: program for large network analysis". Matrices are refused.
"""

from __future__ import annotations

import contextlib
import math
import shlex

import torch

from graphwright.adapters.files.counted import node_count, node_names, node_place
from graphwright.adapters.files.text import numbered_lines
from graphwright.adapters.listed_links import from_listed
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.numbers import decimal
from graphwright.adapters.reading import Reading
from graphwright.core import GraphError

_LINKS = {"*arcs": True, "*edges": False, "*arcslist": True, "*edgeslist": False}


def read(data: bytes) -> NamedGraph:
    """The graph in `data`. Raises GraphError, naming the line, for a malformed one."""
    reader = _PajekReader(len(data))
    for line, text in numbered_lines(data):
        if not text.startswith("%"):
            try:
                reader.take(line, text)
            except (GraphError, ValueError) as error:
                raise GraphError(f"line {line}: {error}") from error
    return reader.graph()


class _PajekReader:
    """What the lines so far have said."""

    def __init__(self, size: int) -> None:
        self.size, self.header, self.num_nodes = size, 0, 0
        self.section = ""
        self.names: dict[int, str] = {}
        self.places: dict[int, tuple[float, float]] = {}
        self.links: list[tuple[int, int]] = []
        self.weights: list[float] = []
        self.directed: set[bool] = set()

    def take(self, line: int, text: str) -> None:
        """Read one line."""
        if text.startswith("*"):
            self.section, *words = text.lower().split()
            if self.section == "*vertices":
                if self.header or not words:
                    raise GraphError("write '*Vertices N' once")
                self.header, self.num_nodes = line, node_count(words[0], self.size)
            elif self.section not in (*_LINKS, "*network"):
                raise GraphError(f"{text[:40]!r} cannot be read; these can: *Vertices, {', '.join(_LINKS)}")
        elif self.section == "*vertices":
            self._node(text)
        elif self.section in _LINKS:
            self._links(text.split())
        else:
            raise GraphError("comes before '*Vertices N'; put that line first")

    def _node(self, text: str) -> None:
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise GraphError("a quote does not end; correct it") from error
        place = node_place(words[0], self.num_nodes, self.header)
        self.names[place] = words[1] if len(words) > 1 else words[0]
        if len(words) > 3:
            with contextlib.suppress(GraphError):  # what follows may be how to draw the node
                self.places[place] = decimal(words[2]), decimal(words[3])

    def _links(self, words: list[str]) -> None:
        self.directed.add(_LINKS[self.section])
        one, *others = words
        node = node_place(one, self.num_nodes, self.header)
        listed = self.section.endswith("list")
        if not others:
            raise GraphError("a link has two nodes; add the other")
        for other in others if listed else others[:1]:
            self.links.append((node, node_place(other, self.num_nodes, self.header)))
            self.weights.append(1.0 if listed or len(others) < 2 else decimal(others[1]))

    def graph(self) -> NamedGraph:
        """The graph of all lines."""
        if not self.header:
            raise GraphError("has no line '*Vertices N'; add it at the top")
        if len(self.directed) > 1:
            raise GraphError("has arcs and edges; make all of them one kind")
        names = [self.names.get(place, name) for place, name in enumerate(node_names(self.num_nodes))]
        if len(set(names)) < len(names):
            names = list(node_names(self.num_nodes))
        nodes = {}
        if self.places:
            position = torch.full((self.num_nodes, 2), math.nan, dtype=torch.float64)
            position[list(self.places)] = torch.tensor(list(self.places.values()), dtype=torch.float64)
            nodes["position"] = position
        weighted = any(weight != 1 for weight in self.weights)
        edges = {"weight": torch.tensor(self.weights, dtype=torch.float64)} if weighted else {}
        return from_listed(
            names,
            self.links,
            directed=self.directed == {True},
            nodes=nodes,
            edges=edges,
            reading=Reading(format="Pajek"),
        )
