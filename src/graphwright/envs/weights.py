"""Numbers that users give to nodes and edges, as instances hold them: exact, checked, and called by their nodes."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError

EDGE_WEIGHTS = ("weight", "edge_weight", "edge_attr")
"""Edge columns that hold weights, the first that is there; PyG calls them by the last two names."""

_WHOLE = 2**53
_LARGEST = torch.finfo(torch.float32).max  # what networks read
TOO_LARGE = "numbers are at most 3.4e38; take another unit"
"""The rule of numbers that are finite and larger than networks can read."""


def node_numbers(graph: GraphBatch, name: str, default: float, rule: str) -> Tensor:
    """[N] float64 (float32 where the column is): the node column `name`, `default` where there is none.

    rule: what numbers are right, all of them finite and not negative. Raises GraphError, naming the node, for others.
    """
    if name not in graph.nodes:
        return torch.full((graph.num_nodes,), default, device=graph.device)
    number = _exact("node", name, graph.nodes[name])
    if number.dim() != 1:
        raise GraphError(f"node column {name!r} has shape {tuple(number.shape)}; give each node one number")
    right = number.to(torch.float32).isfinite() & (number >= 0)

    def told(node: int) -> str:
        value = float(number[node])
        return f"node column {name!r} is {value} at node {{}}; {TOO_LARGE if _LARGEST < value < math.inf else rule}"

    require_nodes(graph, right, told)
    return number


def edge_numbers(graph: GraphBatch, names: tuple[str, ...]) -> tuple[str, Tensor] | None:
    """The name and the numbers [E] float64 (float32 where the column is) of the first edge column of these `names`.

    A column [E, 1] is one number an edge. None where there is no such column. Raises GraphError for other shapes.
    """
    name = next((name for name in names if name in graph.edges), None)
    if name is None:
        return None
    number = _exact("edge", name, graph.edges[name])
    if number.dim() == 2 and number.shape[1] == 1:
        number = number.squeeze(1)
    if number.dim() != 1:
        raise GraphError(f"edge column {name!r} has shape {tuple(number.shape)}; give each edge one number")
    return name, number


def require_nodes(graph: GraphBatch, right: Tensor, told: Callable[[int], str]) -> None:
    """Raise GraphError for the first node where `right` [N] is false: what is `told` of it, with {} for its name."""
    wrong = (~right).nonzero()
    if wrong.numel():
        node = int(wrong[0])
        raise GraphError(told(node), [_place(graph, node)])


def require_edges(graph: GraphBatch, name: str, number: Tensor, right: Tensor, rule: str) -> None:
    """Raise GraphError, naming the ends of the first edge where `right` [E] is false and what is right."""
    wrong = (~right).nonzero()
    if wrong.numel():
        edge = int(wrong[0])
        ends = [_place(graph, node) for node in graph.edge_index[:, edge].tolist()]
        raise GraphError(f"edge column {name!r} is {float(number[edge])} between nodes {{}} and {{}}; {rule}", ends)


def _place(graph: GraphBatch, node: int) -> int:
    return int(graph.node_segments.position[node])


def _exact(table: str, name: str, column: Tensor) -> Tensor:
    if column.dtype == torch.float32:
        return column
    if column.dtype == torch.int64 and bool((column.abs() > _WHOLE).any()):
        raise GraphError(f"{table} column {name!r} has whole numbers beyond 2^53; write them in another unit")
    return column.double()
