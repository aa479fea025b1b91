"""What every `GraphBatch` keeps to, and the error of one that does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graphwright.core.kernels.groups import first_without_opposite
from graphwright.core.segment import Segments

if TYPE_CHECKING:
    from graphwright.core.graph import GraphBatch


class GraphError(ValueError):
    """A graph that breaks a rule; the message names the column and the graph.

    nodes: places of nodes in their graph, one for each {} of the message, where a reader that knows their names puts
    these (`in_names`).
    """

    def __init__(self, message: str, nodes: Sequence[int] = ()) -> None:
        pieces = message.split("{}")
        self.pieces, self.nodes = (pieces, nodes) if len(pieces) == len(nodes) + 1 else ([message], ())
        super().__init__(self._with([str(node) for node in self.nodes]))

    def in_names(self, names: Sequence[str]) -> GraphError:
        """The same error about one graph, whose nodes have `names` [N]."""
        return GraphError(self._with([repr(names[node]) for node in self.nodes]))

    def _with(self, words: Sequence[str]) -> str:
        return "".join(piece + word for piece, word in zip(self.pieces, [*words, ""], strict=True))


def check_batch(batch: GraphBatch) -> None:
    """Raise GraphError, naming the column and the graph, unless every rule of `GraphBatch` holds."""
    for name, tensor in (("edge_index", batch.edge_index), ("node_ptr", batch.node_ptr), ("edge_ptr", batch.edge_ptr)):
        _check_integers(name, tensor)
    _check_ptr("node_ptr", batch.node_ptr)
    _check_ptr("edge_ptr", batch.edge_ptr)
    if batch.edge_ptr.numel() != batch.node_ptr.numel():
        raise GraphError(
            f"edge_ptr has {batch.edge_ptr.numel()} entries, node_ptr {batch.node_ptr.numel()}; both are B + 1"
        )
    check_end_points(batch.edge_index, batch.node_segments)
    for table, columns, rows in (
        ("node", batch.nodes, batch.num_nodes),
        ("edge", batch.edges, batch.num_edges),
        ("graph", batch.graphs, batch.num_graphs),
    ):
        check_columns(table, columns, rows)
    if int(batch.edge_ptr[-1]) != batch.num_edges:
        raise GraphError(f"edge_ptr ends at {int(batch.edge_ptr[-1])}, but edge_index has {batch.num_edges} edges")
    _check_edge_order(batch)
    if "reverse" in batch.edges:
        _check_reverse(batch)


def _check_edge_order(batch: GraphBatch) -> None:
    if not batch.num_edges:
        return
    wrong = (batch.node_graph[batch.edge_index[1]] != batch.edge_graph).nonzero()
    if wrong.numel():
        edge = int(wrong[0])
        raise GraphError(f"edge_ptr puts edge {edge} in graph {int(batch.edge_graph[edge])}; its nodes are in another")
    key = batch.edge_index[1] * batch.num_nodes + batch.edge_index[0]
    if bool((key.diff() < 0).any()):
        edge = int((key.diff() < 0).nonzero()[0]) + 1
        graph = int(batch.edge_graph[edge])
        raise GraphError(f"edge_index is not sorted by destination at edge {edge} of graph {graph}; use from_edges")


def _check_reverse(batch: GraphBatch) -> None:
    reverse = batch.edges["reverse"]
    _check_integers("edge column 'reverse'", reverse)
    if reverse.dim() != 1:
        raise GraphError(f"edge column 'reverse' has shape {tuple(reverse.shape)}; it must be [E]")
    edge = first_without_opposite(batch.edge_index, batch.edge_ptr, reverse)
    if edge >= 0:
        graph = int(batch.edge_graph[edge])
        raise GraphError(f"edge column 'reverse' of graph {graph} does not name the opposite of edge {edge}")


def check_end_points(edge_index: Tensor, node_segments: Segments) -> None:
    """Raise GraphError unless `edge_index` [2, E] joins nodes that exist, each edge inside one graph."""
    if edge_index.dim() != 2 or edge_index.shape[0] != 2:
        raise GraphError(f"edge_index has shape {tuple(edge_index.shape)}; it must be [2, E]")
    if not edge_index.numel():
        return
    low, high = int(edge_index.min()), int(edge_index.max())
    if low < 0 or high >= node_segments.num_rows:
        wrong = low if low < 0 else high
        raise GraphError(f"edge_index names node {wrong}, but the nodes are 0 to {node_segments.num_rows - 1}")
    graph = node_segments.index[edge_index]
    apart = (graph[0] != graph[1]).nonzero()
    if apart.numel():
        edge = int(apart[0])
        raise GraphError(
            f"edge {edge} joins graphs {int(graph[0, edge])} and {int(graph[1, edge])}; an edge stays in one"
        )


def check_columns(table: str, columns: Mapping[str, Tensor], rows: int) -> None:
    """Raise GraphError, naming the column, unless each is [rows, ...]."""
    for name, column in columns.items():
        if column.dim() == 0 or column.shape[0] != rows:
            raise GraphError(f"{table} column {name!r} has shape {tuple(column.shape)}; its first size must be {rows}")


def _check_integers(name: str, tensor: Tensor) -> None:
    if tensor.dtype != torch.int64:
        raise GraphError(f"{name} is of type {tensor.dtype}; it must be torch.int64")


def _check_ptr(name: str, ptr: Tensor) -> None:
    if ptr.dim() != 1 or not ptr.numel() or int(ptr[0]) != 0 or bool((ptr.diff() < 0).any()):
        raise GraphError(f"{name} must be one-dimensional, begin with 0 and never fall; it is {ptr.tolist()[:8]} ...")
