"""What a file says of the first transition of a swimmer: positions and velocities, zero where it says nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError


def start_of_nodes(graph: GraphBatch, name: str) -> Tensor:
    """[N] float64. Raises GraphError where the column `name` is not one finite number for each node."""
    rest = torch.zeros(graph.num_nodes, device=graph.device)
    return _checked("node", name, graph.nodes.get(name, rest), rest.shape)


def start_of_graphs(graph: GraphBatch, name: str) -> Tensor:
    """[B, 2] float64. Raises GraphError where the column `name` is not two finite numbers for each graph."""
    rest = torch.zeros(graph.num_graphs, 2, device=graph.device)
    return _checked("graph", name, graph.graphs.get(name, rest), rest.shape)


def _checked(table: str, name: str, column: Tensor, shape: tuple[int, ...]) -> Tensor:
    if column.shape != shape:
        numbers = "two numbers" if len(shape) > 1 else "one number"
        raise GraphError(f"{table} column {name!r} has shape {tuple(column.shape)}; give each {table} {numbers}")
    wrong = (~column.isfinite()).nonzero()
    if wrong.numel():
        raise GraphError(f"{table} column {name!r} is not finite at {table} {int(wrong[0, 0])}; give finite numbers")
    return column.to(torch.float64)
