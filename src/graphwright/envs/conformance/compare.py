"""Where two results differ: by table, column and graph, so that a message can name the place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Observation, Segments, Step

CLOSE = 1e-5
"""By how much floats may differ, over the largest of their column, where sums may be taken in another order."""
ROWS = {"nodes": "node", "edges": "edge", "graphs": "graph"}


class ConformanceError(AssertionError):
    """An environment breaks a rule of its contract; the message names the rule, the method and the place."""


class ConformanceWarning(UserWarning):
    """What is no mistake in itself but mostly one in the end, such as a column that grows with the graph."""


class Part(NamedTuple):
    """A tensor of a result: what it is called, its rows, and the graph of each row (None: rows are not of graphs)."""

    name: str
    values: Tensor
    segments: Segments | Literal["a row each"] | None = None


def parts_of(result: Any, name: str = "the result") -> list[Part]:
    """All tensors of what a method was given or gave: batches of graphs, observations, steps, mappings,
    tuples and tensors."""
    if isinstance(result, list) and all(isinstance(part, Part) for part in result):
        return result
    if isinstance(result, GraphBatch):
        return _parts_of_graph(result)
    if isinstance(result, Observation):
        masks = [Part(f"mask {place}", mask) for place, mask in enumerate(result.masks)]
        return _parts_of_graph(result.graph) + masks
    if isinstance(result, Step):
        rest = {key: value for key, value in vars(result).items() if key != "state" and value is not None}
        return _parts_of_graph(result.state) + [part for key in rest for part in parts_of(rest[key], f"the {key}")]
    if isinstance(result, Tensor):
        return [Part(name, result, "a row each" if result.dim() else None)]
    if isinstance(result, Mapping):
        return [part for key, value in result.items() for part in parts_of(value, f"{key!r}")]
    if isinstance(result, tuple):
        names = getattr(result, "_fields", [f"{name} {place}" for place in range(len(result))])
        return [part for value, key in zip(result, names, strict=True) for part in parts_of(value, key)]
    return []


def first_difference(
    left: Any, right: Any, tolerance: float = 0.0, graph: Callable[[int], str] = "graph {}".format
) -> str | None:
    """Where two results differ, in words, with both values; None where they do not.

    tolerance: how far floats may be apart, over the largest number of their column. graph: what to call each graph.
    """
    ones, others = ({part.name: part for part in parts_of(side)} for side in (left, right))
    for name in ones | others:
        if name not in ones or name not in others:
            return f"{name} is there in one and not in the other"
        place = difference(ones[name].values, others[name].values, tolerance)
        if place is not None:
            return f"{name}{_of(ones[name], place, graph)} is {_both(ones[name].values, others[name].values, place)}"
    return None if parts_of(left) or left == right else f"{left!r} against {right!r}"


def difference(one: Tensor, other: Tensor, tolerance: float = 0.0) -> int | None:
    """The first row in which two tensors differ, -1 where they differ in shape or type; None where they are alike."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return -1
    if torch.equal(one, other):
        return None
    if not one.is_floating_point():
        wrong = one != other
    else:
        finite = one.isfinite() & other.isfinite()
        largest = float(torch.where(finite, torch.maximum(one.abs(), other.abs()), 0).max()) if one.numel() else 0.0
        apart = (one - other).abs() > tolerance * largest
        wrong = torch.where(finite, apart, (one != other) & ~(one.isnan() & other.isnan()))
    rows = (
        wrong.reshape(len(wrong), wrong.shape[1:].numel()).any(1).nonzero()
        if wrong.dim()
        else wrong.reshape(1).nonzero()
    )
    return int(rows[0]) if rows.numel() else None


def copy_of(result: Any) -> list[Part]:
    """The tensors of a result as they are now, to see later whether somebody has written into them."""
    return [Part(name, values.clone()) for name, values, _ in parts_of(result)]


def changed_since(copy: list[Part], result: Any) -> str | None:
    """The first tensor of `result` that is not as it was when `copy` was taken."""
    now = parts_of(result)
    if [part.name for part in copy] != [part.name for part in now]:
        return "the set of columns"
    for (name, old, _), (_, values, _) in zip(copy, now, strict=True):
        if difference(old, values) is not None:
            return name
    return None


def _parts_of_graph(graph: GraphBatch) -> list[Part]:
    parts = [Part("node_ptr", graph.node_ptr), Part("edge_ptr", graph.edge_ptr), Part("edge_index", graph.edge_index)]
    parts += [Part(_column("node", name), column, graph.node_segments) for name, column in graph.nodes.items()]
    parts += [Part(_column("edge", name), column, graph.edge_segments) for name, column in graph.edges.items()]
    for name, column in graph.graphs.items():
        parts.append(
            Part(_column("graph", name), column, "a row each" if column.shape[:1] == (graph.num_graphs,) else None)
        )
    return parts


@cache
def _column(row: str, name: str) -> str:
    return f"{row} column {name!r}"


def _of(part: Part, row: int, name: Callable[[int], str]) -> str:
    segments = part.segments
    if row < 0 or segments is None:
        return ""
    if isinstance(segments, str):
        return f" of {name(row)}"
    if row >= segments.num_rows:
        return ""
    graph = int(segments.index[row])
    inside = "" if segments.num_rows == segments.num_groups else f", row {int(segments.position[row])}"
    return f" of {name(graph)}{inside}"


def _both(one: Tensor, other: Tensor, row: int) -> str:
    if row < 0:
        return f"{tuple(one.shape)} {one.dtype} against {tuple(other.shape)} {other.dtype}"
    values = [side[row].tolist() if side.dim() else side.tolist() for side in (one, other)]
    return " against ".join(str(value) for value in values)
