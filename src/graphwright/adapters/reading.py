"""`Reading`: what a reader understood of its source, so that it can be said and nothing is silently misread."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Reading:
    """What was understood of a file.

    format: what it was read as. delimiter, header: of tables, what stands between cells and what the first line is.
    directed: whether the file says so. nodes, links: how many it has, loops and parallel links included.
    both_ways: every link stands once in each direction, with the same values, and counts once.
    node_weight, edge_weight: the attribute that holds the weights of nodes and of edges; None where they are 1.
    loops, parallel: how many links join a node with itself, or two nodes that are joined already.
    ignored: attributes that are not read. notes: whatever else a user should know, a phrase each.
    """

    format: str = "graph"
    delimiter: str | None = None
    header: str | None = None
    directed: bool = False
    nodes: int = 0
    links: int = 0
    both_ways: bool = False
    node_weight: str | None = None
    edge_weight: str | None = None
    loops: int = 0
    parallel: int = 0
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        """As JSON holds it."""
        return asdict(self) | {"ignored": list(self.ignored), "notes": list(self.notes)}

    def sentence(self) -> str:
        """One line for people."""
        table = [f"cells between {self.delimiter}"] if self.delimiter else []
        table += [f"first line: {self.header}"] if self.header else []
        direction = "directed" if self.directed else "undirected"
        facts = [
            f"{self.format} ({', '.join(table)})" if table else self.format,
            f"{count(self.nodes, 'node')}, {count(self.links, 'link')}, {direction}",
            *(["every link stands both ways and counts once"] if self.both_ways else []),
            *([f"node weights from {self.node_weight!r}"] if self.node_weight else []),
            *([f"edge weights from {self.edge_weight!r}"] if self.edge_weight else []),
            *([count(self.loops, "loop")] if self.loops else []),
            *([count(self.parallel, "parallel link")] if self.parallel else []),
            *self.notes,
            *([f"not read: {', '.join(self.ignored)}"] if self.ignored else []),
        ]
        return "; ".join(facts)


def count(number: int, what: str) -> str:
    """A number of things in words: "1 node", "2 nodes"."""
    return f"{number} {what}{'' if number == 1 else 's'}"
