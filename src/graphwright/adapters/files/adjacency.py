"""Adjacency lists (`.adjlist`), as networkx writes them: a node and its neighbours on each line, `#` for comments.

The graph is undirected; a list that names each link at both its ends is read as one link each.
"""

from __future__ import annotations

from graphwright.adapters.files.text import numbered_lines
from graphwright.adapters.listed_links import from_listed
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.reading import Reading


def read(data: bytes) -> NamedGraph:
    """The graph in `data`. Raises GraphError where it is no text."""
    place: dict[str, int] = {}
    links: list[tuple[int, int]] = []
    for _, text in numbered_lines(data):
        places = [place.setdefault(name, len(place)) for name in text.split("#", 1)[0].split()]
        links += [(places[0], neighbour) for neighbour in places[1:]]
    return from_listed(place, links, directed=False, reading=Reading(format="adjacency list"))
