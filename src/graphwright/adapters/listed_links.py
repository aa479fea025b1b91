"""Graphs from links as a source lists them: counted, and taken once where each stands both ways."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.reading import Reading
from graphwright.core.graph import Columns
from graphwright.core.segment import lexsort


def from_listed(
    names: Iterable[str],
    links: Sequence[tuple[int, int]] | Tensor,
    *,
    directed: bool,
    reading: Reading,
    nodes: Columns | None = None,
    edges: Columns | None = None,
    graphs: Columns | None = None,
) -> NamedGraph:
    """As `NamedGraph.from_links`, for links in the words of their source; `reading` is completed by what was counted.

    An undirected graph may be listed with every link both ways, with the very same values: each is then one link. If
    only some stand both ways, these are parallel links.
    """
    pairs = torch.as_tensor(links, dtype=torch.int64).reshape(-1, 2)
    columns = dict(edges or {})
    both_ways = not directed and _both_ways(pairs.T, columns)
    if both_ways:
        kept = (pairs[:, 0] <= pairs[:, 1]).nonzero().squeeze(1)
        pairs, columns = pairs[kept], {name: column[kept] for name, column in columns.items()}
    named = NamedGraph.from_links(names, pairs, directed=directed, nodes=nodes, edges=columns, graphs=graphs)
    return NamedGraph(named.graph, named.names, counted(replace(reading, both_ways=both_ways), named))


def forget_directions(named: NamedGraph) -> NamedGraph:
    """`named` with each directed link as an undirected one; opposite links become parallel, or one as listed above."""
    if not named.directed:
        return named
    links, columns = named.links()
    graph = named.graph
    return from_listed(
        named.names,
        links.T,
        directed=False,
        reading=replace(named.reading, notes=(*named.reading.notes, "directions are forgotten")),
        nodes=graph.nodes,
        edges=columns,
        graphs=graph.graphs,
    )


def counted(reading: Reading, named: NamedGraph) -> Reading:
    """`reading` with the numbers of `named`."""
    rows, _ = named.graph.links
    one, other = named.graph.edge_index[:, rows]
    loops = int((one == other).sum())
    low, high = (torch.minimum(one, other), torch.maximum(one, other)) if not named.directed else (one, other)
    key = low * max(len(named.names), 1) + high
    again = int((key.diff() == 0).sum())  # edges are sorted, so that parallel ones follow each other
    return replace(
        reading,
        directed=named.directed,
        nodes=len(named.names),
        links=rows.numel(),
        loops=loops,
        parallel=again,
    )


def _both_ways(links: Tensor, columns: Columns) -> bool:
    """Whether every link but loops has an opposite one with the same values, and there is any."""
    up, down = links[0] < links[1], links[0] > links[1]
    if not bool(up.any()) or int(up.sum()) != int(down.sum()):
        return False
    kind = torch.zeros_like(links[0])
    for column in columns.values():
        flat = column.reshape(len(column), -1)
        values = torch.cat([flat.isnan(), flat.nan_to_num()], dim=1) if flat.is_floating_point() else flat
        if values.shape[1]:
            _, own = torch.unique(values, dim=0, return_inverse=True)
            _, kind = torch.unique(kind * (len(own) + 1) + own, return_inverse=True)
    there = torch.cat([links[:, up], kind[up].unsqueeze(0)])
    back = torch.cat([links[:, down].flip(0), kind[down].unsqueeze(0)])
    return torch.equal(there[:, lexsort(*there)], back[:, lexsort(*back)])
