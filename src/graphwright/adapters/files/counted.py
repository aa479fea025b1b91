"""Nodes without names, counted from 1 to N, as DIMACS, SteinLib and rudy files have them."""

from __future__ import annotations

from collections.abc import Iterator

from graphwright.adapters.files.refusal import refuse
from graphwright.adapters.named_graph import NamedGraph
from graphwright.core import GraphError

_FEW_NODES = 10_000


def whole(token: str) -> int:
    """The whole number >= 0 that `token` spells. Raises GraphError for anything else."""
    if not (token.isascii() and token.isdigit() and len(token) < 19):
        raise GraphError(f"{token[:40]!r} is not a whole number; correct it")
    return int(token)


def node_count(token: str, size: int) -> int:
    """The number of nodes that `token` spells, in a file of `size` bytes.

    Raises GraphError for one that a file of that size does not fill: it would cost memory that the file does not.
    """
    if whole(token) > max(_FEW_NODES, size):
        raise GraphError(f"says {token} nodes, too many for a file of {size} bytes; correct the number")
    return whole(token)


def node_place(token: str, num_nodes: int, line: int) -> int:
    """The place, from 0, of the node `token`, of as many as `line` says. Raises GraphError if there is no such node."""
    if not 1 <= whole(token) <= num_nodes:
        raise GraphError(f"node {token} does not exist; line {line} says they are 1 to {num_nodes}")
    return whole(token) - 1


def node_names(num_nodes: int) -> Iterator[str]:
    """1 to N, as text."""
    return (str(node) for node in range(1, num_nodes + 1))


def check_counted(form: str, named: NamedGraph) -> None:
    """Raise GraphError unless `named` is undirected and its nodes are named 1 to N in this order."""
    if named.directed:
        raise refuse(form, "a directed graph", "write .txt, .json, .graphml or .npz")
    if any(name != held for name, held in zip(named.names, node_names(named.graph.num_nodes), strict=True)):
        raise refuse(form, "node names but 1 to N", "write .json, or name them by NamedGraph.numbered(graph, 1)")
