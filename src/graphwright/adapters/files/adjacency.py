"""Adjacency lists (`.adjlist`), as networkx writes them: a node and its neighbours on each line, `#` for comments.

The graph is undirected; a list that names each link at both its ends is read as one link each.
"""

from __future__ import annotations

import numpy as np

from graphwright.adapters.files.not_links import refuse_lone_pairs
from graphwright.adapters.files.table_rows import TableRows
from graphwright.adapters.files.text import numbered_lines
from graphwright.adapters.listed_links import from_listed
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.reading import Reading


def read(data: bytes) -> NamedGraph:
    """The graph in `data`. Raises GraphError where it is no text, or no line has two names."""
    place: dict[str, int] = {}
    links: list[tuple[int, int]] = []
    rows = [(line, text.split("#", 1)[0].split()) for line, text in numbered_lines(data)]
    rows = [(line, names) for line, names in rows if names]
    ptr = np.cumsum([0, *(len(names) for _, names in rows)])
    refuse_lone_pairs(TableRows([line for line, _ in rows], [name for _, names in rows for name in names], ptr))
    for _, names in rows:
        places = [place.setdefault(name, len(place)) for name in names]
        links += [(places[0], neighbour) for neighbour in places[1:]]
    return from_listed(place, links, directed=False, reading=Reading(format="adjacency list"))
