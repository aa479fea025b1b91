"""Bringing edges in any order into the library: the only place where edges are ever sorted."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core.graph import Columns, GraphBatch
from graphwright.core.graph_rules import GraphError, check_columns, check_end_points
from graphwright.core.segment import Segments, inverse


def from_edges(
    edge_index: Tensor,
    num_nodes: Tensor,
    *,
    undirected: bool,
    nodes: Columns | None = None,
    edges: Columns | None = None,
    graphs: Columns | None = None,
) -> GraphBatch:
    """A `GraphBatch` from edges in any order.

    edge_index: [2, L] integers, numbered over the union of all graphs; with `undirected`, each edge once, either way
        round, and both directions of the result carry its columns and the column `reverse`.
    num_nodes: [B] integers.
    nodes [N, ...], edges [L, ...], graphs [B, ...]: columns, in the given order.

    Raises GraphError for end points outside the union or in different graphs.
    """
    edge_index, num_nodes = edge_index.long(), num_nodes.long()
    node_segments = Segments.from_lengths(num_nodes)
    check_end_points(edge_index, node_segments)
    check_columns("node", nodes or {}, node_segments.num_rows)
    check_columns("edge", edges or {}, edge_index.shape[1])
    check_columns("graph", graphs or {}, num_nodes.numel())
    columns = dict(edges or {})
    twin = None
    if undirected:
        edge_index, twin, columns = _both_directions(edge_index, columns)

    edge_index, order = sort_by_destination(edge_index, node_segments.num_rows)
    edge_graph = node_segments.index[edge_index[1]]
    edge_segments = Segments.from_lengths(torch.bincount(edge_graph, minlength=num_nodes.numel()))
    columns = {name: column[order] for name, column in columns.items()}
    if twin is not None:
        columns["reverse"] = inverse(order)[twin[order]] - edge_segments.ptr[:-1][edge_graph]
    return GraphBatch(
        edge_index,
        node_segments.ptr,
        edge_segments.ptr,
        nodes=dict(nodes or {}),
        edges=columns,
        graphs=dict(graphs or {}),
    )


def opposite_edges(graph: GraphBatch, rows: Tensor) -> Tensor:
    """[M] int64: the rows of the edges that lead back along those at `rows` [M]. graph: undirected."""
    return graph.edges["reverse"][rows] + graph.edge_ptr[:-1][graph.edge_graph[rows]]


def on_both_directions(graph: GraphBatch, values: Tensor) -> Tensor:
    """[E]: a value of each link [L] on the edges of both its directions. graph: undirected."""
    rows, _ = graph.links
    spread = values.new_empty(graph.num_edges)
    spread[rows] = spread[opposite_edges(graph, rows)] = values
    return spread


def simplify(graph: GraphBatch) -> GraphBatch:
    """The undirected simple graph of `graph`: directions forgotten, self-loops dropped, parallel edges merged.

    A merged edge keeps the columns of the first of its edges.
    """
    if _is_simple(graph):
        return graph
    low, high = torch.minimum(*graph.edge_index), torch.maximum(*graph.edge_index)
    kept = (low < high).nonzero().squeeze(1)
    key = low[kept] * max(graph.num_nodes, 1) + high[kept]
    order = torch.argsort(key, stable=True)
    first = torch.ones_like(order, dtype=torch.bool)
    first[1:] = key[order].diff() > 0
    rows = kept[order[first]].sort().values
    return from_edges(
        torch.stack([low[rows], high[rows]]),
        graph.node_segments.lengths,
        undirected=True,
        nodes=graph.nodes,
        edges={name: column[rows] for name, column in graph.edges.items() if name != "reverse"},
        graphs=graph.graphs,
    )


def _is_simple(graph: GraphBatch) -> bool:
    """Whether it is simple as it stands, without columns that the two directions of an edge might not share."""
    if graph.edges.keys() != {"reverse"}:
        return False
    source, destination = graph.edge_index
    again = (destination[1:] == destination[:-1]) & (source[1:] == source[:-1])
    return not bool(again.any()) and not bool((source == destination).any())


def with_links(graph: GraphBatch, links: Tensor, edges: Columns | None = None) -> GraphBatch:
    """`graph` with further edges, put in their places: what `from_edges` makes of the old ones and then the new ones.

    Nothing that is sorted already is sorted again, so that adding a few edges to each of many graphs is cheap.

    links: [2, L] int64, numbered over the union; where `graph` is undirected, each edge once, either way round.
    edges: name → [L, ...], the columns of the new edges: those that `graph` has, but for `reverse`.

    Raises GraphError for end points outside the union or in different graphs, and for other columns.
    """
    columns = dict(edges or {})
    names = graph.edges.keys() - {"reverse"}
    if columns.keys() != names:
        raise GraphError(f"new edges need the columns {sorted(names)}, not {sorted(columns)}; give them those")
    check_end_points(links, graph.node_segments)
    check_columns("edge", columns, links.shape[1])
    twin = None
    if "reverse" in graph.edges:
        links, twin, columns = _both_directions(links, columns)
    links, order = sort_by_destination(links, graph.num_nodes)

    base = max(graph.num_nodes, 1)
    key, added = (ends[1] * base + ends[0] for ends in (graph.edge_index, links))
    new_place = torch.searchsorted(key, added, right=True) + torch.arange(order.numel(), device=graph.device)
    is_new = torch.zeros(key.numel() + added.numel(), dtype=torch.bool, device=graph.device)
    is_new[new_place] = True
    old_place = (~is_new).nonzero().squeeze(1)

    def merge(old: Tensor, new: Tensor) -> Tensor:
        merged = old.new_empty(is_new.numel(), *old.shape[1:])
        merged[old_place], merged[new_place] = old, new
        return merged

    more = torch.bincount(graph.node_graph[links[1]], minlength=graph.num_graphs)
    edge_segments = Segments.from_lengths(graph.edge_segments.lengths + more)
    merged = {name: merge(graph.edges[name], column[order].to(graph.edges[name])) for name, column in columns.items()}
    if twin is not None:
        opposite = old_place[graph.edges["reverse"] + graph.edge_ptr[:-1][graph.edge_graph]]
        rows = merge(opposite, new_place[inverse(order)[twin[order]]])
        merged["reverse"] = rows - edge_segments.ptr[:-1][edge_segments.index]
    return GraphBatch.trusted(
        torch.stack([merge(one, other) for one, other in zip(graph.edge_index, links, strict=True)]),
        graph.node_segments,
        edge_segments,
        nodes=graph.nodes,
        edges=merged,
        graphs=graph.graphs,
    )


def _both_directions(edge_index: Tensor, columns: Columns) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Edges with their opposites, the row of each edge's opposite, and the columns of both; a loop stands once.

    All edges are turned the same way round first: the k-th of parallel edges is then the opposite of the k-th.
    """
    edge_index = torch.stack([torch.maximum(*edge_index), torch.minimum(*edge_index)])
    count = edge_index.shape[1]
    rows = torch.arange(count, device=edge_index.device)
    plain = edge_index[0] != edge_index[1]
    opposite_row = torch.where(plain, count + plain.cumsum(0) - 1, rows)
    opposite_of = rows[plain]
    both = torch.cat([edge_index, edge_index[:, opposite_of].flip(0)], dim=1)
    twin = torch.cat([opposite_row, opposite_of])
    return both, twin, {name: torch.cat([column, column[opposite_of]]) for name, column in columns.items()}


def sort_by_destination(edge_index: Tensor, num_nodes: int) -> tuple[Tensor, Tensor]:
    """The edges by destination, then source, then arrival, and the row that each came from."""
    base = max(num_nodes, 1)
    key, order = torch.sort(edge_index[1] * base + edge_index[0], stable=True)
    return torch.stack([key % base, key // base]), order


def relabel(graph: GraphBatch, place: Tensor) -> GraphBatch:
    """The same graphs with node v at `place[v]` [N] int64, a permutation inside each graph; edges are sorted anew."""
    edge_index, order = sort_by_destination(place[graph.edge_index], graph.num_nodes)
    old = inverse(place)
    columns = {name: column[order] for name, column in graph.edges.items()}
    if "reverse" in columns:
        start = graph.edge_ptr[:-1][graph.edge_graph]
        columns["reverse"] = inverse(order)[columns["reverse"] + start[order]] - start
    nodes = {name: column[old] for name, column in graph.nodes.items()}
    return GraphBatch(edge_index, graph.node_ptr, graph.edge_ptr, nodes, columns, dict(graph.graphs))
