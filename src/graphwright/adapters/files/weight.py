"""The node column `weight`, which every graph from a file has: float32 [N], finite and >= 0."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphError


def with_weight(named: NamedGraph, name: str) -> NamedGraph:
    """`named` with its node column `name` as the column `weight`; all ones if that is its name and there is none.

    A column of another name also stays as it was; a column `weight` besides it is replaced. Raises GraphError if there
    is no such column, and, naming the node, for a weight that is not a finite number >= 0.
    """
    graph = named.graph
    if name in graph.nodes:
        weight = _checked(named, name, graph.nodes[name])
    elif name == "weight":
        weight = torch.ones(graph.num_nodes)
    else:
        known = ", ".join(map(repr, graph.nodes)) or "none"
        raise GraphError(f"no node column {name!r} to take as weight; the numeric ones are: {known}")
    return NamedGraph(graph.with_nodes(weight=weight), named.names)


def check_weight(named: NamedGraph) -> None:
    """Raise GraphError unless the node column `weight`, if there is one, is what a reader would give back."""
    weight = named.graph.nodes.get("weight")
    if weight is None:
        return
    if weight.dtype != torch.float32:
        raise GraphError(f"node column 'weight' is {weight.dtype}, but a reader gives float32; convert or rename it")
    _checked(named, "weight", weight)


def _checked(named: NamedGraph, name: str, column: Tensor) -> Tensor:
    if column.dim() != 1:
        raise GraphError(f"node column {name!r} has shape {list(column.shape)}; a weight is one number a node, [N]")
    weight = column.to(torch.float32)
    wrong = ~((weight >= 0) & weight.isfinite())
    if bool(wrong.any()):
        node = int(wrong.nonzero()[0, 0])
        value = column[node].item()
        raise GraphError(f"node {named.names[node]!r} has {name} {value}; a weight is finite in float32 and >= 0")
    return weight
