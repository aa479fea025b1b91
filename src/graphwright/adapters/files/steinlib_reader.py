"""Reading SteinLib files line by line."""

from __future__ import annotations

import math
from collections.abc import Container

import torch

from graphwright.adapters.files.counted import node_count, node_names, node_place, whole
from graphwright.adapters.listed_links import from_listed
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.numbers import decimal
from graphwright.adapters.reading import Reading
from graphwright.core import GraphError

FIRST = "33D32945 STP File, STP Format Version 1.0"
"""The first line, of which other programs vary all but the number."""

_SECTIONS = ("comment", "drawing", "graph", "terminals", "coordinates")


class SteinLibReader:
    """What the lines so far have said."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.begun = self.ended = False
        self.section = ""
        self.sections: set[str] = set()
        self.said: dict[str, tuple[int, int]] = {}
        self.links: list[tuple[int, int]] = []
        self.lengths: list[float] = []
        self.terminals: set[int] = set()
        self.positions: dict[int, tuple[float, float]] = {}

    def take(self, line: int, text: str) -> None:
        """Read one line. Raises GraphError if it cannot stand here."""
        if self.ended:
            raise GraphError("comes after EOF; delete it")
        if not self.begun and not text.upper().startswith(FIRST[:8]):
            raise GraphError(f"does not begin as a SteinLib file; write {FIRST!r}")
        if self.begun and not text.startswith("#"):
            self._take(line, text.split())
        self.begun = True

    def graph(self) -> NamedGraph:
        """The graph of all lines."""
        if not self.ended:
            raise GraphError("has no EOF at its end; add it, or complete the file if it was cut off")
        for what in ("nodes", "edges", "terminals"):
            if what not in self.said:
                raise GraphError(f"does not say how many {what} there are; add the line '{what.capitalize()} N'")
        for what, found in (("edges", len(self.links)), ("terminals", len(self.terminals))):
            line, count = self.said[what]
            if count != found:
                raise GraphError(f"line {line}: says {count} {what}, but the file has {found}; correct the count")
        num_nodes = self.said["nodes"][1]
        terminal = torch.zeros(num_nodes, dtype=torch.bool)
        terminal[list(self.terminals)] = True
        nodes = {"terminal": terminal}
        if "coordinates" in self.sections:
            nodes["position"] = torch.full((num_nodes, 2), math.nan, dtype=torch.float64)
            pairs = torch.tensor(list(self.positions.values()), dtype=torch.float64).reshape(-1, 2)
            nodes["position"][list(self.positions)] = pairs
        edges = {"length": torch.tensor(self.lengths, dtype=torch.float64)}
        return from_listed(
            node_names(num_nodes),
            self.links,
            directed=False,
            nodes=nodes,
            edges=edges,
            reading=Reading(format="SteinLib"),
        )

    def _take(self, line: int, words: list[str]) -> None:
        match [self.section, words[0].lower(), *words[1:]]:
            case ["", "section", *name]:
                self._open(" ".join(name).lower())
            case ["", "eof"]:
                self.ended = True
            case [section, "end"] if section:
                self.section = ""
            case ["comment" | "drawing", *_]:
                pass
            case ["graph", "nodes", count]:
                self._say("nodes", line, node_count(count, self.size))
            case ["graph", "edges", count] | ["terminals", "terminals", count]:
                self._say(words[0].lower(), line, whole(count))
            case ["graph", "e", one, other, length]:
                self.links.append((self._place(one), self._place(other)))
                self.lengths.append(_length(length))
            case ["graph", "a" | "arcs", *_]:
                raise GraphError("arcs have a direction, and only edges can be read; write 'E node node length'")
            case ["terminals", "t", node]:
                self.terminals.add(self._new_place(node, self.terminals))
            case ["coordinates", "dd", node, x, y]:
                self.positions[self._new_place(node, self.positions)] = decimal(x), decimal(y)
            case _:
                where = f"in SECTION {self.section}" if self.section else "outside a SECTION"
                raise GraphError(f"{' '.join(words)[:40]!r} cannot be read {where}; correct or delete it")

    def _open(self, name: str) -> None:
        """Begin a section."""
        if name not in _SECTIONS:
            raise GraphError(f"SECTION {name[:40]} cannot be read; these can: {', '.join(_SECTIONS)}")
        if name in self.sections:
            raise GraphError(f"a second SECTION {name}; keep one")
        self.sections.add(name)
        self.section = name

    def _say(self, what: str, line: int, count: int) -> None:
        """Keep a number that the file says."""
        if what in self.said:
            raise GraphError(f"the number of {what} once more, after line {self.said[what][0]}; keep one")
        self.said[what] = line, count

    def _place(self, token: str) -> int:
        """The place, from 0, of the node `token`."""
        if "nodes" not in self.said:
            raise GraphError("comes before the line 'Nodes N'; put that line first")
        line, count = self.said["nodes"]
        return node_place(token, count, line)

    def _new_place(self, token: str, held: Container[int]) -> int:
        """The place of the node `token`, which is not among those `held` yet."""
        place = self._place(token)
        if place in held:
            raise GraphError(f"node {token} once more in SECTION {self.section}; keep one")
        return place


def _length(token: str) -> float:
    length = decimal(token)
    if length < 0:
        raise GraphError(f"length {token[:40]!r} is negative; a length is a finite number >= 0")
    return length
