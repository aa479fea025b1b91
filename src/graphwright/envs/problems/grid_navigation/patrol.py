"""Obstacles that go to and fro."""

from __future__ import annotations

from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.problems.grid_navigation.compass import opposite


def advance(graph: GraphBatch, heading: Tensor) -> Tensor:
    """[N, 4] bool: the obstacles one step after `heading` [N, 4] bool, which says in which directions each cell's head.

    An obstacle goes one cell in its direction; where no edge leads there it turns round and goes the other way, and
    where none leads either way it turns round on its place. Obstacles pass through each other.

    graph: with the columns `open` [N, 4] of nodes and `direction` [E, 4] of edges.
    """
    is_open = graph.nodes["open"]
    turned = (heading & is_open) | opposite(heading & ~is_open)
    following = turned & ~is_open
    edge, direction = (turned[graph.edge_index[0]] & graph.edges["direction"]).nonzero().T
    following[graph.edge_index[1, edge], direction] = True
    return following


def meets(graph: GraphBatch, following: Tensor) -> Tensor:
    """[E] bool: whether who goes along each edge runs into an obstacle: in its end, or coming the other way.

    following: [N, 4] bool, the obstacles after the step. One that now is where the edge begins and heads against it has
    come along it.
    """
    source, destination = graph.edge_index
    against = (following[source] & opposite(graph.edges["direction"])).any(1)
    return following.any(1)[destination] | against
