"""Blocks of candidates: what an action is tied to, and how many candidates there are of it."""

from __future__ import annotations

from dataclasses import dataclass

from graphwright.core.rows import DECIDERS, EDGES, GRAPHS, NEIGHBOURS, NODES, PAIRS, UNORDERED_PAIRS, RowKind


@dataclass(frozen=True)
class ActionBlock:
    """Candidates that are tied to the rows of one table: `columns` of them to each row.

    continuous: `columns` real numbers between -1 and 1 for each decision, all chosen at once, instead of candidates.
    """

    name: str
    rows: RowKind
    columns: int = 1
    continuous: bool = False


def per_node(name: str, columns: int = 1) -> ActionBlock:
    """`columns` candidates for each node."""
    return ActionBlock(name, NODES, columns)


def per_neighbour(name: str) -> ActionBlock:
    """The edges out of the node that decides; where graphs decide, out of the one that the column `at` [B] names."""
    return ActionBlock(name, NEIGHBOURS)


def per_edge(name: str, columns: int = 1) -> ActionBlock:
    """`columns` candidates for each edge; an undirected edge is one row (`GraphBatch.links`)."""
    return ActionBlock(name, EDGES, columns)


def per_pair(name: str) -> ActionBlock:
    """Ordered pairs (u, v) of a graph's n nodes, joined or not: n² candidates, (u, v) at place u · n + v."""
    return ActionBlock(name, PAIRS)


def per_unordered_pair(name: str, columns: int = 1) -> ActionBlock:
    """`columns` candidates for each unordered pair u < v of a graph's nodes, at row v · (v - 1) / 2 + u.

    The place of a pair does not depend on how many nodes there are.
    """
    return ActionBlock(name, UNORDERED_PAIRS, columns)


def per_graph(name: str, columns: int = 1) -> ActionBlock:
    """`columns` candidates for each graph: a fixed action space, or one such as "stop" beside other blocks."""
    return ActionBlock(name, GRAPHS, columns)


def per_decider(name: str, columns: int = 1, *, continuous: int = 0) -> ActionBlock:
    """`columns` candidates for each node or edge that decides; or, with `continuous`, so many real numbers."""
    return ActionBlock(name, DECIDERS, continuous or columns, continuous > 0)
