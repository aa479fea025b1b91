"""Symmetries of graphs whose nodes have no names: how many they have, and a key that equal graphs share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from graphwright.core import GraphBatch


def log_automorphisms(graph: GraphBatch, nodes: Sequence[str] = (), edges: Sequence[str] = ()) -> Tensor:
    """[B] float64: log of the number of automorphisms of each graph that keep the named integer columns.

    An undirected graph is one with the column `reverse`. By nauty (McKay & Piperno 2014, "Practical graph isomorphism,
    II"). Raises ImportError, naming the remedy, where pynauty is missing.
    """
    nauty = _nauty()
    sizes = []
    for coloured, _ in _coloured_graphs(nauty, graph, nodes, edges):
        _, mantissa, exponent, _, _ = nauty.autgrp(coloured)
        sizes.append(math.log(mantissa) + exponent * math.log(10))
    return torch.tensor(sizes, dtype=torch.float64)


def canonical_keys(graph: GraphBatch, nodes: Sequence[str] = (), edges: Sequence[str] = ()) -> list[bytes]:
    """A key for each graph; two are equal if and only if the graphs are isomorphic, named columns included."""
    nauty = _nauty()
    return [
        repr(colours).encode() + nauty.certificate(coloured)
        for coloured, colours in _coloured_graphs(nauty, graph, nodes, edges)
    ]


def canonical_places(graph: GraphBatch, nodes: Sequence[str] = (), edges: Sequence[str] = ()) -> Tensor:
    """[N] int64: a place for each node inside its graph, such that isomorphic graphs become equal when so renumbered.

    Named columns included, which are all that there are.
    """
    nauty, node_ptr = _nauty(), graph.node_ptr.tolist()
    place: list[int] = [0] * graph.num_nodes
    for number, (coloured, _) in enumerate(_coloured_graphs(nauty, graph, nodes, edges)):
        begin, end = node_ptr[number : number + 2]
        for new, old in enumerate(nauty.canon_label(coloured)[: end - begin]):  # nodes first, as their colours are
            place[begin + old] = new
    return torch.tensor(place, dtype=torch.int64)


def _coloured_graphs(
    nauty: Any, graph: GraphBatch, nodes: Sequence[str], edges: Sequence[str]
) -> Iterator[tuple[Any, list[tuple[Any, int]]]]:
    """Each graph for nauty, and its colours with how many vertices have each.

    Where edges have columns, each becomes a vertex between its ends (both directions of an undirected edge one).
    """
    undirected = "reverse" in graph.edges
    node_colours = list(zip(*[graph.nodes[name].tolist() for name in nodes], strict=True)) if nodes else None
    rows = graph.links[0]
    ends = graph.edge_index[:, rows] - graph.node_ptr[:-1][graph.edge_graph[rows]]
    source, destination = ends.tolist()
    edge_colours = list(zip(*[graph.edges[name][rows].tolist() for name in edges], strict=True)) if edges else None
    node_ptr, link_ptr = graph.node_ptr.tolist(), graph.links[1].ptr.tolist()
    for place in range(graph.num_graphs):
        begin, end = node_ptr[place : place + 2]
        size = end - begin
        colours = [(0, *colour) for colour in node_colours[begin:end]] if node_colours else [(0,)] * size
        neighbours: dict[int, list[int]] = {}
        for link in range(*link_ptr[place : place + 2]):
            if edge_colours is None:
                neighbours.setdefault(source[link], []).append(destination[link])
                continue
            middle = len(colours)
            colours.append((1, *edge_colours[link]))
            neighbours.setdefault(source[link], []).append(middle)
            neighbours[middle] = [destination[link]]
        classes: dict[Any, set[int]] = {}
        for vertex, colour in enumerate(colours):
            classes.setdefault(colour, set()).add(vertex)
        order = sorted(classes)
        coloured = nauty.Graph(
            max(len(colours), 1),
            directed=not undirected,
            adjacency_dict=neighbours,
            vertex_coloring=[classes[colour] for colour in order],
        )
        yield coloured, [(colour, len(classes[colour])) for colour in order]


def _nauty() -> Any:
    try:
        import pynauty
    except ImportError:
        raise ImportError("symmetries of graphs need pynauty; pip install 'graphwright[flow]'") from None
    return pynauty
