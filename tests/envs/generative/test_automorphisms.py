"""Symmetries against all permutations of the nodes, and keys against networkx."""

from __future__ import annotations

import itertools
import math
import sys
from typing import Any

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphwright.core import GraphBatch, from_edges
from graphwright.envs.generative.automorphisms import canonical_keys, log_automorphisms
from strategies import relabelled, seeded, seeds

NODES, EDGES = ("colour", "charge"), ("order",)


@st.composite
def coloured_graphs(draw: st.DrawFn, *, directed: bool, most: int = 5) -> GraphBatch:
    """One to three simple graphs; all have columns, whether or not they are asked for."""
    sizes = draw(st.lists(st.integers(0, most), min_size=1, max_size=3))
    pairs, start = [], 0
    for size in sizes:
        order = itertools.permutations if directed else itertools.combinations
        possible = [(start + u, start + v) for u, v in order(range(size), 2)]
        pairs += [pair for pair in possible if draw(st.booleans())]
        start += size
    colours = draw(st.lists(st.integers(0, 1), min_size=2 * start, max_size=2 * start))
    marks = draw(st.lists(st.integers(0, 1), min_size=len(pairs), max_size=len(pairs)))
    columns = torch.tensor(colours, dtype=torch.int64).view(2, start)
    return from_edges(
        torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T,
        torch.tensor(sizes),
        undirected=not directed,
        nodes=dict(zip(NODES, columns, strict=True)),
        edges={"order": torch.tensor(marks, dtype=torch.int64)},
    )


kinds = pytest.mark.parametrize("directed", [False, True], ids=["undirected", "directed"])
columns = pytest.mark.parametrize(
    ("nodes", "edges"), [((), ()), (NODES[:1], ()), (NODES, ()), ((), EDGES), (NODES, EDGES)]
)
few = settings(max_examples=12, deadline=None)


def parts(graph: GraphBatch, nodes: tuple[str, ...], edges: tuple[str, ...]) -> list[tuple[list[Any], dict[Any, Any]]]:
    """Of each graph the colours of its nodes, and those of its edges by their ends."""
    found = []
    for place in range(graph.num_graphs):
        one = graph.select(torch.tensor([place]))
        colours = list(zip(*(one.nodes[name].tolist() for name in nodes), strict=True)) or [()] * one.num_nodes
        marks = list(zip(*(one.edges[name].tolist() for name in edges), strict=True)) or [()] * one.num_edges
        found.append((colours, dict(zip(map(tuple, one.edge_index.T.tolist()), marks, strict=True))))
    return found


def count(colours: list[Any], links: dict[Any, Any]) -> int:
    """Permutations that keep colours and edges."""
    return sum(
        [colours[v] for v in order] == colours and {(order[u], order[v]): c for (u, v), c in links.items()} == links
        for order in itertools.permutations(range(len(colours)))
    )


@kinds
@columns
@given(data=st.data())
@few
def test_automorphisms_are_the_permutations_that_change_nothing(
    directed: bool, nodes: tuple[str, ...], edges: tuple[str, ...], data: st.DataObject
) -> None:
    graph = data.draw(coloured_graphs(directed=directed))
    found = log_automorphisms(graph, nodes, edges)
    assert found.dtype == torch.float64
    expected = [count(*one) for one in parts(graph, nodes, edges)]
    assert found.exp().tolist() == pytest.approx(expected)


def test_numbers_of_symmetries_that_are_known() -> None:
    """Of a path, a cycle, a star, a complete graph, one of Petersen's, and one without edges: 30 of its nodes."""
    known = [
        (nx.path_graph(5), 2),
        (nx.cycle_graph(7), 14),
        (nx.star_graph(6), math.factorial(6)),
        (nx.complete_graph(8), math.factorial(8)),
        (nx.petersen_graph(), 120),
        (nx.empty_graph(30), math.factorial(30)),
    ]
    for graph, expected in known:
        edges = torch.tensor(list(graph.edges), dtype=torch.int64).reshape(-1, 2).T
        found = log_automorphisms(from_edges(edges, torch.tensor([len(graph)]), undirected=True))
        assert float(found) == pytest.approx(math.log(expected))


@kinds
@columns
@given(data=st.data())
@few
def test_keys_are_equal_if_and_only_if_graphs_are_isomorphic(
    directed: bool, nodes: tuple[str, ...], edges: tuple[str, ...], data: st.DataObject
) -> None:
    graph = GraphBatch.concat([data.draw(coloured_graphs(directed=directed, most=4)) for _ in range(2)])
    keys = canonical_keys(graph, nodes, edges)
    graphs = []
    for colours, links in parts(graph, nodes, edges):
        one = nx.DiGraph() if directed else nx.Graph()
        one.add_nodes_from((node, {"colour": colour}) for node, colour in enumerate(colours))
        one.add_edges_from((u, v, {"mark": mark}) for (u, v), mark in links.items())
        graphs.append(one)
    for one, other in itertools.combinations(range(len(keys)), 2):
        alike = nx.is_isomorphic(
            graphs[one],
            graphs[other],
            node_match=lambda a, b: a["colour"] == b["colour"],
            edge_match=lambda a, b: a["mark"] == b["mark"],
        )
        assert (keys[one] == keys[other]) == alike


@kinds
@columns
@given(data=st.data(), seed=seeds)
@few
def test_keys_and_symmetries_outlive_a_renumbering(
    directed: bool, nodes: tuple[str, ...], edges: tuple[str, ...], data: st.DataObject, seed: int
) -> None:
    graph = data.draw(coloured_graphs(directed=directed, most=6))
    moved, _ = relabelled(graph, seeded(seed))
    assert canonical_keys(graph, nodes, edges) == canonical_keys(moved, nodes, edges)
    torch.testing.assert_close(log_automorphisms(graph, nodes, edges), log_automorphisms(moved, nodes, edges))


def test_without_nauty_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynauty", None)
    with pytest.raises(ImportError, match="pip install 'graphwright\\[flow\\]'"):
        log_automorphisms(from_edges(torch.zeros(2, 0), torch.tensor([1]), undirected=True))
