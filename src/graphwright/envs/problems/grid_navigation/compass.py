"""Cells of a grid and the four directions between them."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError
from graphwright.core.segment import segment_max
from graphwright.envs.generators.geography import find_places
from graphwright.envs.weights import require_nodes

DIRECTIONS = ("north", "east", "south", "west")
"""The order of the columns of everything [M, 4] here; north is one row up, east one column on."""


def opposite(directions: Tensor) -> Tensor:
    """[M, 4] of any type, seen the other way round: what stood under north stands under south."""
    return directions.roll(2, dims=1)


def edge_directions(graph: GraphBatch) -> Tensor:
    """[E, 4] bool: the direction in which each edge leads. Raises GraphError for an edge that joins no adjacent cells.

    graph: with the node column `position` [N, 2], (column, row) in whole numbers.
    """
    column, row = (graph.nodes["position"][graph.edge_index[1]] - graph.nodes["position"][graph.edge_index[0]]).T
    upright, level = column == 0, row == 0
    directions = torch.stack(
        [upright & (row == 1), level & (column == 1), upright & (row == -1), level & (column == -1)], dim=1
    )
    wrong = (~directions.any(1)).nonzero()
    if wrong.numel():
        one, other = graph.node_segments.position[graph.edge_index[:, int(wrong[0])]].tolist()
        raise GraphError("an edge joins cells {} and {}, which are not side by side; remove it", [one, other])
    return directions


def open_directions(graph: GraphBatch) -> Tensor:
    """[N, 4] bool: the directions in which an edge leads away from each cell; from the edge column `direction`."""
    edge, direction = graph.edges["direction"].nonzero().T
    is_open = torch.zeros(graph.num_nodes, 4, dtype=torch.bool, device=graph.device)
    is_open[graph.edge_index[0, edge], direction] = True
    return is_open


def cells(graph: GraphBatch) -> Tensor:
    """[N, 2] float32: (column, row) of each node in whole numbers, the least of each graph 0.

    They come from `position`, or from `x` and `y`. Raises GraphError where there are none, where they are not whole,
    and where two nodes of a graph are the same cell.
    """
    places = find_places(graph)
    if places is None or places.on_globe or places.point.shape[1] != 2:
        raise GraphError("the nodes have no cells; give them the columns 'x' and 'y', or 'position' of two numbers")
    point = places.point
    whole = ((point - point.round()).abs() < 1e-6).all(1)
    require_nodes(graph, whole, lambda node: f"node {{}} is at {point[node].tolist()}; cells are at whole numbers")
    cell = point.round()
    least = -segment_max(-cell, graph.node_segments)
    cell = (cell - least[graph.node_graph]).to(torch.float32)
    both = torch.cat([graph.node_graph.unsqueeze(1), cell.long()], dim=1)
    _, kind, count = both.unique(dim=0, return_inverse=True, return_counts=True)
    require_nodes(
        graph,
        count[kind] == 1,
        lambda node: f"node {{}} is one of several at column, row {cell[node].tolist()}; keep one node a cell",
    )
    return cell


def extent(graph: GraphBatch) -> Tensor:
    """[B] float32: columns plus rows of each graph's cells `position`."""
    return segment_max(graph.nodes["position"], graph.node_segments, empty=-1.0).sum(1) + 2
