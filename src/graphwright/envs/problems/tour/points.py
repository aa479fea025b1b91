"""From a user's points, or random ones, to instances of a tour."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError
from graphwright.envs.problems.tour.plane import join_nearest, spacing
from graphwright.envs.weights import require_nodes

_ROUNDINGS = (0, 1, 2, 3, 4)
_FARTHEST = 1e100  # its square is a number still


def near_points(points: GraphBatch, neighbours: int) -> GraphBatch:
    """Instances from `points`, which have the columns `position` and `rounding`: adds edges, `distance` and `scale`.

    neighbours: how many nearest nodes each node is joined with; 0 for all.
    """
    return join_nearest(points.with_graphs(scale=spacing(points)), neighbours)


def draw_near_points(neighbours: int) -> Callable[[GraphBatch, torch.Generator], GraphBatch]:
    """What makes instances of a topology that has the node column `position`."""
    return lambda graph, generator: near_points(points_of(graph), neighbours)


def points_of(graph: GraphBatch) -> GraphBatch:
    """The nodes of `graph` with `position` [N, 2] float64, taken from `x` and `y` where there is no such column, and
    `rounding` [B] int64, 0 where there is none.

    Raises GraphError where a node has no finite position or a graph no known rounding.
    """
    bare = GraphBatch(graph.edge_index[:, :0], graph.node_ptr, torch.zeros_like(graph.edge_ptr))
    return bare.with_nodes(position=_position(graph)).with_graphs(rounding=_rounding(graph))


def _position(graph: GraphBatch) -> Tensor:
    columns = graph.nodes
    name = next((name for name in ("position", "pos") if name in columns), None)
    told_as = "node columns 'x' and 'y' are" if name is None else f"node column {name!r} is"
    if name is not None:
        position = columns[name]
    elif {"x", "y"} <= columns.keys() and columns["x"].dim() == columns["y"].dim() == 1:
        position = torch.stack([columns["x"], columns["y"]], dim=1)
    else:
        table = "; tours are of points, and distances of edges are read by max-cut and steiner-tree alone"
        told = "the nodes have no place; give each a `position` of two numbers, or `x` and `y`"
        raise GraphError(told + (table if graph.num_edges else ""))
    if position.dim() != 2 or position.shape[1] != 2:
        raise GraphError(f"{told_as} of shape {tuple(position.shape)}; give each node two numbers")
    position = position.double()
    require_nodes(
        graph,
        (position.abs() <= _FARTHEST).all(1),
        lambda node: f"{told_as} {position[node].tolist()} at node {{}}; give numbers up to {_FARTHEST:g}",
    )
    return position


def _rounding(graph: GraphBatch) -> Tensor:
    rounding = graph.graphs.get("rounding", torch.zeros(graph.num_graphs, device=graph.device)).double()
    if rounding.dim() != 1 or not bool(torch.isin(rounding, rounding.new_tensor(_ROUNDINGS)).all()):
        raise GraphError(
            f"graph column 'rounding' is {rounding.tolist()}; give 0 for none, 1 to 4 for TSPLIB's EUC_2D, CEIL_2D, "
            "ATT, GEO"
        )
    return rounding.long()
