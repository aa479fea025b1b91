"""METIS graphs (`.graph`, `.metis`): undirected, nodes 1 to N, a line of neighbours for each.

    % a comment
    3 2 11              N nodes, M edges; perhaps a format: 1 weights of edges, 10 of nodes, 100 sizes of nodes
    5 2 7               the weight of node 1, then its neighbours, each with the weight of the edge
    1 1 7 3 2
    2 2 2

Karypis & Kumar (1998), "A fast and high quality multilevel scheme for partitioning irregular graphs".
"""

from __future__ import annotations

import numpy as np
import torch

from graphwright.adapters.files.counted import node_count, node_names, node_place, whole
from graphwright.adapters.files.text import decode
from graphwright.adapters.listed_links import from_listed
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.numbers import decimal
from graphwright.adapters.reading import Reading
from graphwright.core import GraphError
from graphwright.core.kernels.jit import jit_as_written


def read(data: bytes) -> NamedGraph:
    """The graph in `data`. Raises GraphError, naming the line, for a malformed one."""
    if (found := _read_plain(data)) is not None:
        return found
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


def _read_plain(data: bytes) -> NamedGraph | None:
    """The graph of a file without weights and comments, in one walk; None for any other, or a bad one."""
    top, _, rest = data.lstrip().partition(b"\n")
    words = top.split()
    if len(words) != 2 or not all(word.isdigit() and len(word) < 12 for word in words) or b"%" in rest:
        return None
    num_nodes, num_edges = int(words[0]), int(words[1])
    if num_nodes > len(data) or 2 * num_edges > len(data):
        return None
    links = np.empty((2 * num_edges, 2), np.int64)
    if not _links(np.frombuffer(rest, np.uint8), num_nodes, links):
        return None
    named = from_listed(node_names(num_nodes), torch.from_numpy(links), directed=False, reading=Reading(format="METIS"))
    return named if named.reading.both_ways or not num_edges else None


@jit_as_written
def _links(text, num_nodes, links):  # type: ignore[no-untyped-def]
    """Fill `links` [2 M, 2] with each line's number, from 0, and its numbers less 1; whether that is all there is."""
    line, number, count = 0, -1, 0
    for k in range(text.size + 1):
        sign = text[k] if k < text.size else 10
        if 48 <= sign <= 57:
            number = 10 * max(number, 0) + sign - 48
            if number > num_nodes:
                return False
            continue
        if number >= 0:
            if number == 0 or line >= num_nodes or count == len(links):
                return False
            links[count, 0], links[count, 1] = line, number - 1
            number, count = -1, count + 1
        if sign == 10:
            line += k < text.size
        elif sign not in (9, 13, 32):
            return False
    return count == len(links) and line >= num_nodes - 1


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
