"""Checks of packed arrays, which come from others: counts, ranges, the order of edges. They raise GraphError by key."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from graphwright.core import GraphError, Segments
from graphwright.core.construction import sort_by_destination
from graphwright.core.kernels.runs import checked_union_ends

_COUNTED = {"num_nodes": ("nodes",), "num_edges": ("edges", "edge_index", "reverse")}


def checked_segments(arrays: Mapping[str, Tensor], counted: str) -> Segments:
    """The rows of each graph, from how many it has; as many as each array that is counted so must have."""
    counts = arrays[counted].reshape(-1).long()
    if counts.numel() and int(counts.min()) < 0:
        raise GraphError(f"{counted} is {int(counts.min())} for graph {int(counts.argmin())}; it must not be negative")
    segments = Segments.from_lengths(counts)
    for key in _COUNTED[counted]:
        if key in arrays and len(arrays[key]) != segments.num_rows:
            raise GraphError(f"{key} has {len(arrays[key])} rows, but {counted} adds up to {segments.num_rows}")
    return segments


def checked_edges(ends: Tensor, nodes: Segments, edges: Segments) -> tuple[Tensor, Tensor | None]:
    """[2, E] int64 over the union, sorted by destination, then source, from `ends` [E, 2] inside their graphs.

    Second: the row [E] that each edge came from; None where they are sorted already.
    """
    if ends.dim() != 2 or ends.shape[1] != 2:
        raise GraphError(f"edge_index has shape {tuple(ends.shape)}; it must be [E, 2]")
    ends = ends.long()
    edge_index, wrong, is_sorted = checked_union_ends(ends, edges.ptr, nodes.ptr)
    if wrong >= 0:
        graph = int(edges.index[wrong])
        raise GraphError(
            f"edge_index of graph {graph} joins nodes {ends[wrong].tolist()}, but it has {int(nodes.lengths[graph])} "
            "nodes"
        )
    return (edge_index, None) if is_sorted else sort_by_destination(edge_index, nodes.num_rows)


def checked_reverse(reverse: Tensor, edge_index: Tensor, edges: Segments) -> Tensor:
    """`reverse` [E] as int64; each must name an edge of its graph that goes back and names it in turn."""
    reverse = reverse.reshape(-1).long()
    start = edges.ptr[:-1].index_select(0, edges.index)
    check_range("reverse", reverse, edges.lengths.index_select(0, edges.index))
    rows = reverse + start
    opposite = edge_index[0].index_select(0, rows) == edge_index[1]  # of all edges: then destinations are right as well
    opposite &= rows.index_select(0, rows) == torch.arange(len(rows), device=rows.device)
    if not bool(opposite.all()):
        raise GraphError(f"reverse does not name the opposite of edge {int((~opposite).nonzero()[0])}")
    return reverse


def check_finite(table: str, values: Tensor, columns: Mapping[str, Tensor]) -> None:
    """Raise GraphError, naming the column and the row, unless the `values` of all `columns` are finite."""
    if values.is_floating_point() and not bool(values.isfinite().all()):
        name, row = next((name, rows[0]) for name, column in columns.items() if len(rows := _not_finite(column)))
        raise GraphError(f"{table}: column {name!r} is not finite in row {int(row)}; make all numbers finite")


def _not_finite(column: Tensor) -> Tensor:
    return (~column.isfinite()).any(1).nonzero().squeeze(1)


def check_range(name: str, values: Tensor, most: Tensor | int) -> None:
    """Raise GraphError unless `values` [M] are between 0 and `most` - 1."""
    wrong = (values < 0) | (values >= most)
    if bool(wrong.any()):
        row = int(wrong.nonzero()[0])
        raise GraphError(f"{name} is {int(values[row])} in row {row}, which is out of range")
