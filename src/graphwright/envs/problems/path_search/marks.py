"""Nodes that play a part: one of each graph, named by a column."""

from __future__ import annotations

from torch import Tensor

from graphwright.core import GraphBatch, GraphError
from graphwright.core.segment import segment_sum


def marked(graph: GraphBatch, name: str) -> Tensor:
    """[N] bool: where the node column `name` is true, or a number other than 0; a missing value (NaN) is neither.

    Raises GraphError where the column holds more than one value a node.
    """
    column = graph.nodes[name]
    if column.dim() != 1:
        raise GraphError(f"node column {name!r} has shape {tuple(column.shape)}; give each node true or false")
    return (column != 0) & (column == column)


def marked_node(graph: GraphBatch, name: str) -> Tensor:
    """`marked`, where it has to be true at exactly one node of each graph. Raises GraphError where it is not."""
    if name not in graph.nodes:
        raise GraphError(f"there is no node column {name!r}; give it one that is true at one node (--mark {name}=NAME)")
    column = marked(graph, name)
    count = segment_sum(column, graph.node_segments)
    wrong = (count != 1).nonzero()
    if wrong.numel():
        raise GraphError(
            f"node column {name!r} is true at {int(count[wrong[0]])} nodes of graph {int(wrong[0])}; mark exactly one"
        )
    return column
