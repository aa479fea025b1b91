"""Points of the plane: how far apart they are, and which are near each other."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Segments, from_edges
from graphwright.core.segment import segment_mean, segment_topk
from graphwright.envs.generators.pairs import pair_key

NEAREST, UP, PSEUDO, GLOBE = 1, 2, 3, 4
"""Values of the graph column `rounding`: TSPLIB's EUC_2D, CEIL_2D, ATT and GEO. 0 leaves distances as they are."""

_RADIUS, _PI = 6378.388, 3.141592  # of the earth in kilometres, and π, as TSPLIB has them
_UNITS = (1.0, 1.0, 1.0, 10**-0.5, _RADIUS * _PI / 180)  # by rounding: a distance over one of positions, about

_PAIRS_AT_ONCE = 1 << 22
_MANY = 2_000  # nodes of a graph, from which on a tree finds near ones


def distance(graph: GraphBatch, one: Tensor, other: Tensor) -> Tensor:
    """[M] float64: from node `one` [M] to node `other` [M], numbered over the union, as the graph rounds it.

    All as Reinelt (1991, "TSPLIB: A traveling salesman problem library") defines them: NEAREST rounds halves up, PSEUDO
    is √(d² / 10) rounded up, and GLOBE a distance on a sphere between latitudes and longitudes in degrees and minutes.
    """
    position, rounding = graph.nodes["position"], graph.graphs["rounding"]
    square = (position[one] - position[other]).square().sum(1)
    exact = square.sqrt()
    if not bool(rounding.any()):
        return exact
    rounding = rounding[graph.node_graph[one]]
    found = torch.where(rounding == NEAREST, (exact + 0.5).floor(), exact)
    found = torch.where(rounding == UP, exact.ceil(), found)
    found = torch.where(rounding == PSEUDO, (square / 10).sqrt().ceil(), found)
    on_globe = (rounding == GLOBE).nonzero().squeeze(1)
    if not on_globe.numel():
        return found
    return found.index_copy(0, on_globe, _on_globe(position[one[on_globe]], position[other[on_globe]]))


def _on_globe(one: Tensor, other: Tensor) -> Tensor:
    """[M] float64: whole kilometres between latitudes and longitudes [M, 2], written as degrees.minutes."""
    (one_latitude, one_longitude), (latitude, longitude) = (_radians(point).T for point in (one, other))
    q1, q2, q3 = (
        angle.cos() for angle in (one_longitude - longitude, one_latitude - latitude, one_latitude + latitude)
    )
    arc = (0.5 * ((1 + q1) * q2 - (1 - q1) * q3)).clamp(-1, 1).acos()
    return torch.where((one == other).all(1), 0, (_RADIUS * arc + 1).floor())


def _radians(point: Tensor) -> Tensor:
    degrees = point.trunc()
    return _PI * (degrees + 5 * (point - degrees) / 3) / 180


def spacing(graph: GraphBatch) -> Tensor:
    """[B] float64: √(A / n), where A is the area of a square of uniform points whose mean square distance from their
    centre is that of the graph's n points; 1 where all points are the same.
    """
    square = distance_to_centre(graph).square()
    area = 6 * segment_mean(square, graph.node_segments)
    unit = area.new_tensor(_UNITS)[graph.graphs["rounding"]]
    found = unit * (area / graph.node_segments.lengths.clamp(min=1)).sqrt()
    return torch.where(found > 0, found, 1)


def distance_to_centre(graph: GraphBatch) -> Tensor:
    """[N] float64: from each node to the mean of its graph's positions, unrounded."""
    position = graph.nodes["position"]
    centre = segment_mean(position, graph.node_segments)
    return (position - centre[graph.node_graph]).square().sum(1).sqrt()


def join_nearest(graph: GraphBatch, neighbours: int) -> GraphBatch:
    """The nodes and graphs of `graph`, with an edge where one node is among the other's `neighbours` nearest.

    neighbours: of each node; 0 joins all nodes of a graph with each other. The edge column `distance` [E] float64 is as
    the graph rounds it. Memory grows with the number of edges, time with that of pairs of nodes in small graphs.
    """
    nodes = graph.node_segments
    most = max(nodes.lengths.tolist(), default=0) - 1
    wanted = min(neighbours or most, most)
    if wanted < most and most >= _MANY:
        pairs = torch.cat([_nearest_by_tree(graph, *ends, wanted) for ends in pairwise(nodes.ptr.tolist())], dim=1)
    else:
        pairs = torch.cat([_nearest(graph, rows, wanted) for rows in _pieces(graph)], dim=1)
    number = pair_key(pairs, graph.num_nodes).unique()  # ten times as fast as of rows of two
    pairs = torch.stack([number // max(graph.num_nodes, 1), number % max(graph.num_nodes, 1)])
    bare = from_edges(pairs, nodes.lengths, undirected=True, nodes=graph.nodes, graphs=graph.graphs)
    return bare.with_edges(distance=distance(bare, *bare.edge_index))


def _pieces(graph: GraphBatch) -> tuple[Tensor, ...]:
    """All nodes, in pieces that meet few enough others to hold all of their pairs at once."""
    size = graph.node_segments.lengths[graph.node_graph]
    rows = torch.arange(graph.num_nodes, device=graph.device)
    piece = size.cumsum(0) // _PAIRS_AT_ONCE
    return rows.split(torch.bincount(piece).tolist()) if rows.numel() else (rows,)


def _nearest(graph: GraphBatch, rows: Tensor, neighbours: int) -> Tensor:
    """Pairs [2, P] of each node of `rows` and those nearest to it, all numbered over the union."""
    nodes = graph.node_segments
    groups, others = nodes.select(nodes.index[rows])
    one = rows[groups.index]
    position = graph.nodes["position"]
    nearness = -(position[one] - position[others]).square().sum(1)
    place = segment_topk(nearness.masked_fill(one == others, -torch.inf), groups, max(neighbours, 0))
    row, column = (place >= 0).nonzero().T
    near = others[groups.ptr[:-1][row] + place[row, column]]
    return torch.stack([rows[row], near])[:, rows[row] != near]


def _nearest_by_tree(graph: GraphBatch, begin: int, end: int, neighbours: int) -> Tensor:
    """As `_nearest`, of all nodes begin .. end - 1 of one graph; of nodes that are equally near, any."""
    from scipy.spatial import cKDTree

    position = graph.nodes["position"][begin:end].cpu().double().numpy()
    found = torch.from_numpy(cKDTree(position).query(position, k=min(neighbours + 1, end - begin))[1])
    found = found.reshape(end - begin, -1)
    row = torch.arange(end - begin).unsqueeze(1)
    others = found != row
    others[:, -1] &= ~others.all(1)  # where enough others are as near as the node itself, it is not among them
    row, near = row.expand_as(found)[others], found[others]
    return (begin + torch.stack([row, near])).to(graph.device)


def segments_of(graph: GraphBatch, rows: Tensor) -> Segments:
    """How `rows` [M], nodes in rising order, are shared among the graphs."""
    return Segments.from_lengths(torch.bincount(graph.node_graph[rows], minlength=graph.num_graphs))
