"""Lengths of edges: what a file says they are, or the distances between the places of its nodes."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError
from graphwright.core.segment import segment_sum
from graphwright.envs.weights import EDGE_WEIGHTS, edge_numbers, require_edges

LENGTHS = ("length", *EDGE_WEIGHTS)
"""Edge columns that hold lengths."""

EARTH_RADIUS = 6371.0088
"""Kilometres; the mean radius of the World Geodetic System 1984."""

_SWEEPS = 50


class Places(NamedTuple):
    """Where nodes are.

    point: [N, D] float64, NaN at nodes without a place: coordinates in the plane or in space, or, where `on_globe`, the
    direction from the centre of the earth, a unit vector.
    """

    point: Tensor
    on_globe: bool


def edge_length(graph: GraphBatch) -> Tensor:
    """[E] float64 (float32 where a column is): how long each edge is.

    The first of the edge columns `LENGTHS` that is there, else the distance between its ends: Euclidean between node
    columns `position` (or `pos`) or `x` and `y`; in kilometres on a great circle between `Longitude` and `Latitude` (or
    `lon` and `lat`), in degrees. Nodes without a place (NaN) stand at the mean of their neighbours. The case of letters
    in the names of positions is free.

    Raises GraphError, naming the column and the remedy, for lengths that are not finite and at least 0, and where there
    is nothing to tell them from.
    """
    found = edge_numbers(graph, LENGTHS)
    if found is not None:
        name, length = found
        right = length.to(torch.float32).isfinite() & (length >= 0)
        require_edges(graph, name, length, right, "lengths are finite and not negative")
        return length
    places = find_places(graph)
    if places is None:
        raise GraphError(
            "the graph does not say how long its edges are; give it the edge column 'length', or the node columns "
            "'position', 'x' and 'y', or 'Longitude' and 'Latitude'"
        )
    source, destination = place_all(graph, places)[graph.edge_index]
    chord = (source - destination).norm(dim=1)
    return 2 * EARTH_RADIUS * (chord / 2).clamp(max=1).asin() if places.on_globe else chord


def find_places(graph: GraphBatch) -> Places | None:
    """Where the columns of `graph` put its nodes; None where there are no such columns."""
    columns = {name.lower(): column.double() for name, column in graph.nodes.items()}
    for names in (("longitude", "latitude"), ("lon", "lat")):
        if all(name in columns and columns[name].dim() == 1 for name in names):
            longitude, latitude = (columns[name].deg2rad() for name in names)
            flat = latitude.cos()
            point = torch.stack([flat * longitude.cos(), flat * longitude.sin(), latitude.sin()], dim=1)
            return Places(point, on_globe=True)
    for name in ("position", "pos"):
        if name in columns and columns[name].dim() == 2:
            return Places(columns[name], on_globe=False)
    if all(name in columns and columns[name].dim() == 1 for name in ("x", "y")):
        return Places(torch.stack([columns["x"], columns["y"]], dim=1), on_globe=False)
    return None


def place_all(graph: GraphBatch, places: Places) -> Tensor:
    """`places.point` [N, D] with the nodes that have none at the mean of their neighbours, which may have none either.

    Raises GraphError where all nodes that a node is joined to have none.
    """
    given = places.point.isfinite().all(1)
    point = places.point.masked_fill(~given.unsqueeze(1), 0)
    known = given | (graph.in_degree == 0)  # no edge asks where the others are
    while not known.all():
        near = segment_sum(known[graph.edge_index[0]], graph.in_edges) > 0
        if not (near & ~known).any():
            node = int((~known).nonzero()[0])
            name = int(graph.node_segments.position[node])
            raise GraphError(
                "node {} has no position, nor has any that it is joined to; give it one, or remove it", [name]
            )
        point = torch.where(known.unsqueeze(1), point, _mean_of_neighbours(graph, point, known, places.on_globe))
        known = known | near
    for _ in range(0 if given.all() else _SWEEPS):
        point = torch.where(given.unsqueeze(1), point, _mean_of_neighbours(graph, point, known, places.on_globe))
    return point


def _mean_of_neighbours(graph: GraphBatch, point: Tensor, known: Tensor, on_globe: bool) -> Tensor:
    """[N, D]: the mean of the neighbours whose place is `known` [N], 0 for none; on the globe, its direction."""
    source = graph.edge_index[0]
    total = segment_sum(point[source] * known[source].unsqueeze(1), graph.in_edges)
    if on_globe:
        return total / total.norm(dim=1, keepdim=True).clamp(min=1e-12)
    return total / segment_sum(known[source], graph.in_edges).clamp(min=1).unsqueeze(1)
