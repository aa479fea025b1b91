"""Spaces that hold a graph: Gymnasium's own, padded matrices, or a vector, which becomes a graph of one node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from gymnasium import Space, spaces
from typing_extensions import override

from graphwright.core import GraphError

NODES, EDGES, ADJACENCY, COUNT = "node_features", "edge_features", "adjacency_matrix", "num_nodes"
GraphParts = tuple[Any, Any, np.ndarray]
"""The values of the nodes [n, ...], those of the edges [L, ...], and the links [L, 2]."""
_NOTHING = np.zeros(0, np.float32)
_NO_LINKS = np.zeros((0, 2), np.int64)


class GraphSpace(Protocol):
    """The spaces of nodes and edges, and how a value is split into them."""

    node_space: Space
    """Of one node: `Box` or `Discrete`."""
    edge_space: Space | None
    """Of one edge; None where edges hold nothing."""

    def split(self, value: Any) -> GraphParts:
        """The nodes, edges and links of a value."""


class InstanceSpace(GraphSpace):
    """`spaces.Graph`, whose values are `GraphInstance`s; a link goes from its first node to its second."""

    def __init__(self, space: spaces.Graph) -> None:
        self.node_space = space.node_space
        self.edge_space = space.edge_space

    @override
    def split(self, value: spaces.GraphInstance) -> GraphParts:
        links = _NO_LINKS if value.edge_links is None else np.asarray(value.edge_links, np.int64).reshape(-1, 2)
        return value.nodes, _NOTHING if value.edges is None else value.edges, links


class MatrixSpace(GraphSpace):
    """A `Dict` of matrices: an entry (u, v) of `adjacency_matrix` [n, n] that is not 0 is a link from u to v.

    `node_features` [n, F]; `edge_features`, if there are any, by matrix entry: [n, n], [n, n, D] or [n · n, D].
    Of an undirected graph the matrix is symmetric, and the entries above the diagonal are its links.
    `num_nodes`, if there is one, counts the rows that are nodes; the rest is padding.
    """

    def __init__(self, parts: Mapping[str, Space], undirected: bool) -> None:
        self.undirected = undirected
        self.node_space = numbers(_shape(parts[NODES])[-1])
        self.edge_space = None
        if EDGES in parts:
            shape = _shape(parts[EDGES])
            self.edge_space = numbers(1 if len(shape) == 2 and shape[0] == shape[1] else shape[-1])

    @override
    def split(self, value: Mapping[str, Any]) -> GraphParts:
        size = len(value[NODES])
        count = int(np.asarray(value.get(COUNT, size)).item())
        adjacency = np.asarray(value[ADJACENCY])[:count, :count] != 0
        if self.undirected and (adjacency != adjacency.T).any():
            raise GraphError(
                f"{ADJACENCY} is not symmetric, so its links are directed; make it so, or leave out undirected"
            )
        ends = np.nonzero(np.triu(adjacency) if self.undirected else adjacency)
        edges = np.reshape(value[EDGES], (size, size, -1))[ends] if self.edge_space is not None else _NOTHING
        return value[NODES][:count], edges, np.stack(ends, axis=1)


class VectorSpace(GraphSpace):
    """Any space that Gymnasium can flatten: a graph of one node, which holds the vector."""

    edge_space = None

    def __init__(self, space: Space) -> None:
        self.space = space
        self.node_space = numbers(spaces.flatdim(space))

    @override
    def split(self, value: Any) -> GraphParts:
        return flat(self.space, value), _NOTHING, _NO_LINKS


def numbers(width: int) -> spaces.Box:
    """The space of `width` numbers."""
    return spaces.Box(-np.inf, np.inf, (width,))


def flat(space: Space, value: Any) -> np.ndarray:
    """[1, D] float32: a value as Gymnasium flattens it, `Discrete` as one-hot."""
    return np.asarray(spaces.flatten(space, value), np.float32).reshape(1, -1)


def _shape(space: Space) -> tuple[int, ...]:
    return space.shape or ()
