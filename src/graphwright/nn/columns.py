"""Columns: what a network reads of an observation, as matrices."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from graphwright.core import Features, GraphBatch
from graphwright.core.one_hot import one_hot
from graphwright.core.timestep import MEMORY


def node_columns(features: Features, graph: GraphBatch) -> Tensor:
    """[N, node_width(features)]: columns of the node, of its graph, its type as one-hot; 1 where there is none.

    A linear map of a one-hot column is an embedding of the type, added to that of the other columns.
    """
    parts = [as_matrix(graph.nodes[name]) for name in features.nodes]
    parts += [as_matrix(graph.graphs[name]).index_select(0, graph.node_graph) for name in features.graphs]
    parts += [one_hot(graph.nodes["type"], features.node_types)] if features.node_types else []
    return _beside(parts) if parts else torch.ones(graph.num_nodes, 1, device=graph.device)


def memoryless(features: Features) -> Features:
    """What is read by all but what remembers."""
    return replace(features, nodes={name: width for name, width in features.nodes.items() if name != MEMORY})


def node_width(features: Features) -> int:
    """Columns of `node_columns`."""
    return max(sum(features.nodes.values()) + sum(features.graphs.values()) + features.node_types, 1)


def edge_columns(features: Features, graph: GraphBatch) -> Tensor | None:
    """[E, D]: the columns of the edge, without its type; None where there is none."""
    parts = [as_matrix(graph.edges[name]) for name in features.edges]
    return _beside(parts) if parts else None


def graph_columns(features: Features, graph: GraphBatch) -> Tensor | None:
    """[B, D]: the columns of the graph; None where there is none."""
    parts = [as_matrix(graph.graphs[name]) for name in features.graphs]
    return _beside(parts) if parts else None


def with_edge_type(columns: Tensor | None, features: Features, graph: GraphBatch) -> Tensor | None:
    """`columns` [E, D] with the type of the edge beside them, as one-hot; as they are where edges have no types."""
    if not features.edge_types:
        return columns
    types = one_hot(graph.edges["type"], features.edge_types)
    return types if columns is None else torch.cat([columns, types], dim=1)


def _beside(parts: list[Tensor]) -> Tensor:
    """Side by side; a single one as it is."""
    first, *others = parts
    return torch.cat(parts, dim=1) if others else first


def as_matrix(column: Tensor) -> Tensor:
    """[M, ...] of any type → [M, D] float32."""
    if column.ndim == 2 and column.dtype == torch.float32:
        return column
    return (column.flatten(1) if column.ndim > 1 else column.unsqueeze(1)).to(torch.float32)
