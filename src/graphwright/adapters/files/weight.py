"""The columns `weight`: of nodes, which every graph from a file has, and of edges."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphError

_LENGTH = "length"


def with_weight(named: NamedGraph, name: str) -> NamedGraph:
    """`named` with its node column `name` as the column `weight` [N] float64, finite; all ones if there is no `weight`.

    A column of another name also stays as it was; a column `weight` besides it is replaced. Raises GraphError if there
    is no such column, for an integer that float64 cannot hold, and, naming the node, for a weight that is not finite.
    """
    graph = named.graph
    if name in graph.nodes:
        weight = _checked(named, name, graph.nodes[name])
    elif name == "weight":
        weight = torch.ones(graph.num_nodes, dtype=torch.float64)
    else:
        made = {"weight"} if named.reading.node_weight is None else set()  # the reader's, where the file has none
        known = ", ".join(repr(column) for column in graph.nodes if column not in made) or "none"
        raise GraphError(f"no node attribute {name!r} that is numbers; those that are: {known}")
    found = name if name in graph.nodes else None
    return NamedGraph(graph.with_nodes(weight=weight), named.names, replace(named.reading, node_weight=found))


def with_edge_weight(named: NamedGraph, name: str) -> NamedGraph:
    """`named` with its edge column `name` [E] as the column `weight`; a column `length`, unless it is this one, goes.

    Raises GraphError if there is no such column.
    """
    graph = named.graph
    if name not in graph.edges or name == "reverse":
        known = ", ".join(repr(column) for column in graph.edges if column != "reverse") or "none"
        raise GraphError(f"no edge attribute {name!r} that is numbers; those that are: {known}")
    kept = [column for column in graph.edges if column not in (_LENGTH, "weight") or column == name]
    graph = graph.keep(nodes=list(graph.nodes), edges=kept, graphs=list(graph.graphs))
    graph = graph.with_edges(weight=graph.edges[name])
    return NamedGraph(graph, named.names, replace(named.reading, edge_weight=name))


def check_weight(named: NamedGraph) -> None:
    """Raise GraphError unless the node column `weight`, if there is one, is what a reader would give back."""
    weight = named.graph.nodes.get("weight")
    if weight is None:
        return
    if weight.dtype != torch.float64:
        raise GraphError(f"node column 'weight' is {weight.dtype}, but a reader gives float64; convert or rename it")
    _checked(named, "weight", weight)


def _checked(named: NamedGraph, name: str, column: Tensor) -> Tensor:
    if column.dim() != 1:
        raise GraphError(f"node attribute {name!r} has shape {list(column.shape)}; a weight is one number a node, [N]")
    weight = column.to(torch.float64)
    wrong = ~weight.isfinite() | (weight.to(column.dtype) != column)
    if bool(wrong.any()):
        node = int(wrong.nonzero()[0, 0])
        value = column[node].item()
        raise GraphError(f"node {named.names[node]!r} has {name} {value}; a weight is a finite number of float64")
    return weight
