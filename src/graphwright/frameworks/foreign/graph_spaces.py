"""Spaces that hold a graph: Gymnasium's own, or a vector, which becomes a graph of one node."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from gymnasium import Space, spaces
from typing_extensions import override

from graphwright.core import GraphError
from graphwright.frameworks.foreign.links import Orientation

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
        self.orientation = Orientation()

    @override
    def split(self, value: spaces.GraphInstance) -> GraphParts:
        if not all(hasattr(value, part) for part in ("nodes", "edges", "edge_links")):
            raise GraphError(f"the observation holds a {type(value).__name__} for its graph; return a GraphInstance")
        links = self.orientation.read(value.edge_links)
        return _array(value.nodes), _NOTHING if value.edges is None else _array(value.edges), links


class VectorSpace(GraphSpace):
    """Any space that Gymnasium can flatten: a graph of one node, which holds the vector."""

    edge_space = None

    def __init__(self, space: Space) -> None:
        self.space = space
        self.node_space = numbers(spaces.flatdim(space))

    @override
    def split(self, value: Any) -> GraphParts:
        return flat(self.space, value), _NOTHING, _NO_LINKS


def _array(values: Any) -> np.ndarray:
    """[rows, ...]: numbers that may be of lists, or of tensors that need no gradient."""
    try:
        return np.asarray(values)
    except (ValueError, RuntimeError, TypeError) as error:
        raise GraphError(f"{type(values).__name__} is no array of numbers ({error}); return a numpy array") from None


def numbers(width: int) -> spaces.Box:
    """The space of `width` numbers."""
    return spaces.Box(-np.inf, np.inf, (width,))


def flat(space: Space, value: Any) -> np.ndarray:
    """[1, D] float32: a value as Gymnasium flattens it, `Discrete` as one-hot."""
    return np.asarray(spaces.flatten(space, value), np.float32).reshape(1, -1)
