"""METIS graphs (`.graph`, `.metis`): undirected, nodes 1 to N, a line of neighbours for each.

    % a comment
    3 2 11              N nodes, M edges; perhaps a format: 1 weights of edges, 10 of nodes, 100 sizes of nodes
    5 2 7               the weight of node 1, then its neighbours, each with the weight of the edge
    1 1 7 3 2
    2 2 2

Karypis & Kumar (1998), "A fast and high quality multilevel scheme for partitioning irregular graphs".
"""

from __future__ import annotations

import torch

from graphwright.adapters.files.counted import node_count, node_names, node_place, whole
from graphwright.adapters.files.text import decode
from graphwright.adapters.listed_links import from_listed
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.numbers import decimal
from graphwright.adapters.reading import Reading
from graphwright.core import GraphError


def read(data: bytes) -> NamedGraph:
    """The graph in `data`. Raises GraphError, naming the line, for a malformed one."""
    lines = [(line, text.split()) for line, text in enumerate(decode(data).split("\n"), 1) if text[:1] != "%"]
    lines = lines[next((place for place, (_, words) in enumerate(lines) if words), len(lines)) :]
    if not lines:
        raise GraphError("has no line 'N M'; add it at the top")
    header, words = lines[0]
    try:
        num_nodes, num_edges, kind = _header(words, len(data))
    except GraphError as error:
        raise GraphError(f"line {header}: {error}") from error
    rows = lines[1:]
    while len(rows) > num_nodes and not rows[-1][1]:
        rows.pop()
    if len(rows) != num_nodes:
        raise GraphError(f"line {header}: says {num_nodes} nodes, but {len(rows)} lines follow; complete the file")
    sizes, weighted, links_weighted = (digit == "1" for digit in kind)
    links: list[tuple[int, int]] = []
    values: list[float] = []
    weights: list[float] = []
    for node, (line, words) in enumerate(rows):
        try:
            words = words[1:] if sizes else words
            if weighted:
                weights += [decimal(word) for word in words[:1]]
                words = words[1:]
            step = 2 if links_weighted else 1
            if len(words) % step or len(weights) not in (0, node + 1):
                raise GraphError("a number is missing; correct the line, or the format in the first one")
            links += [(node, node_place(word, num_nodes, header)) for word in words[::step]]
            values += [decimal(word) for word in words[1::step]] if links_weighted else []
        except GraphError as error:
            raise GraphError(f"line {line}: {error}") from error
    if len(links) != 2 * num_edges:
        raise GraphError(
            f"line {header}: says {num_edges} edges, but {len(links)} ends follow; each edge stands at both its nodes"
        )
    named = from_listed(
        node_names(num_nodes),
        links,
        directed=False,
        nodes={"weight": torch.tensor(weights, dtype=torch.float64)} if weighted else {},
        edges={"weight": torch.tensor(values, dtype=torch.float64)} if links_weighted else {},
        reading=Reading(format="METIS"),
    )
    if links and not named.reading.both_ways:
        raise GraphError("some edge does not stand at both its nodes with the same weight; add it")
    return named


def _header(words: list[str], size: int) -> tuple[int, int, str]:
    """Numbers of nodes and edges, and the three digits of the format."""
    match words:
        case [nodes, edges]:
            kind = "000"
        case [nodes, edges, kind] | [nodes, edges, kind, "1"]:
            kind = kind.rjust(3, "0")
        case _:
            raise GraphError("is not 'N M' or 'N M format'; correct it (several weights a node are not read)")
    if len(kind) != 3 or set(kind) - {"0", "1"}:
        raise GraphError(f"{kind[:40]!r} is no format of METIS; write three digits, each 0 or 1")
    return node_count(nodes, size), whole(edges), kind
