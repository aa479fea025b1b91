"""Graphs with edge weights as the generator rudy writes them (`.mc`, `.rud`): the Gset, the Biq Mac library.

    3 2                 N nodes, 1 to N, and M undirected edges
    1 2 -1              an edge and its weight, the edge column `weight` [E] float64

Rinaldi (1996), "Rudy, a graph generator"; Helmberg & Rendl (2000), "A spectral bundle method for semidefinite
programming", for the Gset, whose files have no suffix: give them one.
"""

from __future__ import annotations

import torch

from graphwright.adapters.files.counted import check_counted, node_count, node_names, node_place, whole
from graphwright.adapters.files.refusal import check_column, refuse, refuse_columns, refuse_weights
from graphwright.adapters.files.text import numbered_lines
from graphwright.adapters.listed_links import from_listed
from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.numbers import decimal, spell
from graphwright.adapters.reading import Reading
from graphwright.core import GraphError

_REMEDY = "write .json, .graphml or .npz"


def read(data: bytes) -> NamedGraph:
    """The graph in `data`. Raises GraphError, naming the line, for a malformed one."""
    header = num_nodes = num_edges = 0
    links: list[tuple[int, int]] = []
    weights: list[float] = []
    for line, text in numbered_lines(data):
        try:
            if text.startswith(("#", "%", "c ")):
                continue
            match text.split():
                case [size, count] if not header:
                    header, num_nodes, num_edges = line, node_count(size, len(data)), whole(count)
                case [one, other, weight] if header:
                    links.append((node_place(one, num_nodes, header), node_place(other, num_nodes, header)))
                    weights.append(decimal(weight))
                case _:
                    form = "an edge, 'node node weight'" if header else "the first, 'N M'"
                    raise GraphError(f"{text[:40]!r} is not a line of a rudy file; write {form}")
        except GraphError as error:
            raise GraphError(f"line {line}: {error}") from error
    if len(links) != num_edges:
        said = f"line {header}: says {num_edges} edges, but the file has {len(links)}"
        raise GraphError(f"{said}; correct the count, or complete the file if it was cut off")
    edges = {"weight": torch.tensor(weights, dtype=torch.float64)}
    return from_listed(node_names(num_nodes), links, directed=False, edges=edges, reading=Reading(format="rudy"))


def write(named: NamedGraph) -> bytes:
    """`named` as a rudy file. Raises GraphError for what that cannot hold."""
    form = "a rudy file (.mc, .rud)"
    check_counted(form, named)
    refuse_columns(form, named, _REMEDY, edges=["weight"])
    refuse_weights(form, named, _REMEDY)
    links, columns = named.links()
    weight = check_column(form, "edge column 'weight'", columns.get("weight"), torch.float64)
    if not bool(weight.isfinite().all()):
        raise refuse(form, "edge column 'weight' with values that are not finite", _REMEDY)
    lines = [f"{named.graph.num_nodes} {links.shape[1]}"]
    for (one, other), value in zip((links.T + 1).tolist(), weight.tolist(), strict=True):
        lines.append(f"{one} {other} {spell(value)}")
    return "".join(line + "\n" for line in lines).encode()
