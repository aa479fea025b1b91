"""Edges come in any order and leave sorted, and nothing about them is lost."""

from __future__ import annotations

from collections import Counter, defaultdict

import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core import GraphBatch, GraphError, from_edges, relabel, simplify, with_links
from graphwright.core.construction import on_both_directions, opposite_edges
from strategies import assert_same, assert_same_batch, ragged_batches, relabelled, seeded, seeds


@st.composite
def edge_lists(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    """Edges [2, L] in any order, with loops and parallels, and the sizes [B] of their graphs."""
    sizes = draw(st.lists(st.integers(0, 4), max_size=4))
    ends, start = [], 0
    for size in sizes:
        node = st.integers(start, start + size - 1)
        ends.append(draw(st.lists(st.tuples(node, node), max_size=8)) if size else [])
        start += size
    pairs = draw(st.permutations([pair for part in ends for pair in part]))
    return torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T, torch.tensor(sizes, dtype=torch.int64)


@given(edge_lists())
def test_directed_edges_are_sorted_and_take_their_columns_along(edges: tuple[Tensor, Tensor]) -> None:
    edge_index, sizes = edges
    arrival = torch.arange(edge_index.shape[1])
    graph = from_edges(edge_index, sizes, undirected=False, edges={"arrival": arrival})
    graph.validate()
    expected = sorted((v, u, k) for k, (u, v) in enumerate(edge_index.T.tolist()))
    assert list(zip(*graph.edge_index.flip(0).tolist(), graph.edges["arrival"].tolist(), strict=True)) == expected
    assert_same(graph.node_segments.lengths, sizes)


@given(edge_lists())
def test_undirected_edges_stand_both_ways_round_with_the_same_columns(edges: tuple[Tensor, Tensor]) -> None:
    edge_index, sizes = edges
    arrival = torch.arange(edge_index.shape[1])
    graph = from_edges(edge_index, sizes, undirected=True, edges={"arrival": arrival})
    graph.validate()
    rows = [(*pair, k) for pair, k in zip(graph.edge_index.T.tolist(), graph.edges["arrival"].tolist(), strict=True)]
    pairs = edge_index.T.tolist()
    both = [(u, v, k) for k, (u, v) in enumerate(pairs)] + [(v, u, k) for k, (u, v) in enumerate(pairs) if u != v]
    assert Counter(rows) == Counter(both)
    opposite = graph.edges["reverse"] + graph.edge_ptr[graph.edge_graph]
    assert_same(graph.edges["arrival"][opposite], graph.edges["arrival"])


@given(edge_lists(), st.booleans())
def test_degrees_and_neighbours_are_those_of_networkx(edges: tuple[Tensor, Tensor], undirected: bool) -> None:
    edge_index, sizes = edges
    graph = from_edges(edge_index, sizes, undirected=undirected)
    theirs = (nx.MultiGraph if undirected else nx.MultiDiGraph)()
    theirs.add_nodes_from(range(int(sizes.sum())))
    theirs.add_edges_from(edge_index.T.tolist())
    theirs = theirs.to_directed()
    assert graph.in_degree.tolist() == [degree for _, degree in theirs.in_degree]
    assert Counter(map(tuple, graph.edge_index.T.tolist())) == Counter(theirs.edges(keys=False))


@given(ragged_batches(), seeds)
def test_the_order_of_the_edges_makes_no_difference(batch: GraphBatch, seed: int) -> None:
    simple = simplify(batch).keep()
    rows, _ = simple.links
    shuffled = rows[torch.randperm(rows.numel(), generator=seeded(seed))]
    for ends in (simple.edge_index[:, shuffled], simple.edge_index[:, shuffled].flip(0)):
        assert_same_batch(from_edges(ends, simple.node_segments.lengths, undirected=True), simple)


@given(ragged_batches())
def test_simplify_is_the_simple_graph_of_networkx(batch: GraphBatch) -> None:
    simple = simplify(batch)
    simple.validate()
    theirs = nx.Graph(list(map(tuple, batch.edge_index.T.tolist())))
    theirs.remove_edges_from(list(nx.selfloop_edges(theirs)))
    assert Counter(map(tuple, simple.edge_index.T.tolist())) == Counter(list(theirs.to_directed().edges))
    for table in ("nodes", "graphs"):
        for name, column in getattr(batch, table).items():
            assert_same(getattr(simple, table)[name], column)
    assert_same(simple.node_ptr, batch.node_ptr)


@given(ragged_batches())
def test_a_merged_edge_keeps_the_columns_of_its_first(batch: GraphBatch) -> None:
    rows = defaultdict(list)
    for row, (u, v) in enumerate(batch.edge_index.T.tolist()):
        rows[min(u, v), max(u, v)].append(row)
    simple = simplify(batch)
    first = [rows[min(u, v), max(u, v)][0] for u, v in simple.edge_index.T.tolist()]
    for name in batch.edges.keys() - {"reverse"}:
        assert_same(simple.edges[name], batch.edges[name][first])


@given(ragged_batches())
def test_simplify_leaves_a_simple_graph_as_it_is(batch: GraphBatch) -> None:
    simple = simplify(batch)
    assert_same_batch(simplify(simple), simple)


@given(ragged_batches(), seeds)
def test_relabelling_takes_every_node_and_edge_along(batch: GraphBatch, seed: int) -> None:
    batch = batch.with_edges(arrival=torch.arange(batch.num_edges))
    moved, place = relabelled(batch, seeded(seed))
    moved.validate()
    assert_same(moved.node_graph[place], batch.node_graph)
    arrival = moved.edges["arrival"]
    assert sorted(arrival.tolist()) == list(range(batch.num_edges))
    assert_same(moved.edge_index, place[batch.edge_index[:, arrival]])
    for name in batch.nodes:
        assert_same(moved.nodes[name][place], batch.nodes[name])
    for name in batch.edges.keys() - {"reverse"}:
        assert_same(moved.edges[name], batch.edges[name][arrival])
    if "reverse" in batch.edges:  # the opposite is still the same edge
        opposites = [some.edges["reverse"] + some.edge_ptr[some.edge_graph] for some in (moved, batch)]
        assert_same(arrival[opposites[0]], opposites[1][arrival])
    assert_same_batch(relabel(moved, torch.argsort(place)).keep(list(batch.nodes)), batch.keep(list(batch.nodes)))


@given(ragged_batches(parallels=False), seeds)
def test_relabelling_commutes_with_simplify(batch: GraphBatch, seed: int) -> None:
    moved, place = relabelled(batch.keep(nodes=["x"]), seeded(seed))
    simple, simple_moved = simplify(batch.keep(nodes=["x"])), simplify(moved)
    expected = {(int(place[u]), int(place[v])) for u, v in simple.edge_index.T.tolist()}
    assert set(map(tuple, simple_moved.edge_index.T.tolist())) == expected
    assert_same(simple_moved.nodes["x"][place], simple.nodes["x"])


@given(edge_lists(), st.integers(0, 8), st.booleans())
def test_links_are_added_as_if_they_had_come_last(edges: tuple[Tensor, Tensor], split: int, undirected: bool) -> None:
    edge_index, sizes = edges
    arrival = torch.arange(edge_index.shape[1])
    columns = {"arrival": arrival, "w": arrival[:, None] / 7}

    def part(rows: slice) -> tuple[Tensor, dict[str, Tensor]]:
        return edge_index[:, rows], {name: column[rows] for name, column in columns.items()}

    nodes, graphs = {"x": torch.arange(int(sizes.sum()))}, {"g": sizes}
    whole = from_edges(edge_index, sizes, undirected=undirected, nodes=nodes, edges=columns, graphs=graphs)
    (old, old_columns), (new, new_columns) = part(slice(split)), part(slice(split, None))
    begun = from_edges(old, sizes, undirected=undirected, nodes=nodes, edges=old_columns, graphs=graphs)
    assert_same_batch(with_links(begun, new, new_columns), whole)
    if undirected and bool((edge_index[0] != edge_index[1]).all()):
        turned = with_links(begun, new.flip(0), new_columns)
        assert_same_batch(turned, whole)


@pytest.mark.parametrize(
    ("ends", "columns", "message"),
    [
        ([[0], [3]], {"w": torch.zeros(1)}, "joins graphs 0 and 1"),
        ([[0], [5]], {"w": torch.zeros(1)}, "names node 5"),
        ([[0], [1]], {}, r"need the columns \['w'\], not \[\]"),
        ([[0], [1]], {"w": torch.zeros(2)}, "'w'"),
    ],
)
def test_links_that_do_not_fit_are_refused(ends: list[list[int]], columns: dict[str, Tensor], message: str) -> None:
    edges = torch.tensor([[0], [2]])
    graph = from_edges(edges, torch.tensor([3, 2]), undirected=True, edges={"w": torch.ones(1)})
    with pytest.raises(GraphError, match=message):
        with_links(graph, torch.tensor(ends), columns)


@given(ragged_batches(undirected=True, loops=False))
def test_the_way_back_along_an_edge_leads_between_the_same_nodes(batch: GraphBatch) -> None:
    back = opposite_edges(batch, torch.arange(batch.num_edges))
    assert_same(batch.edge_index[:, back], batch.edge_index.flip(0))
    assert_same(back[back], torch.arange(batch.num_edges))
    rows, _ = batch.links
    numbers = torch.arange(len(rows))
    laid = on_both_directions(batch, numbers)
    assert_same(laid[rows], numbers)
    assert_same(laid[back], laid)


def test_a_graph_known_by_hand() -> None:
    edges = torch.tensor([[2, 1, 0, 4], [1, 1, 1, 3]])
    graph = from_edges(edges, torch.tensor([3, 2]), undirected=True, edges={"w": torch.tensor([20.0, 11, 1, 43])})
    assert graph.edge_index.tolist() == [[1, 0, 1, 2, 1, 4, 3], [0, 1, 1, 1, 2, 3, 4]]
    assert graph.edges["w"].tolist() == [1, 1, 11, 20, 20, 43, 43]
    assert graph.edges["reverse"].tolist() == [1, 0, 2, 4, 3, 1, 0]
    assert graph.edge_ptr.tolist() == [0, 5, 7]
    simple = simplify(graph)
    assert simple.edge_index.tolist() == [[1, 0, 2, 1, 4, 3], [0, 1, 1, 2, 3, 4]]
    assert simple.edges["w"].tolist() == [1, 1, 20, 20, 43, 43]


@pytest.mark.parametrize(
    ("ends", "message"),
    [([[0], [5]], "names node 5"), ([[-1], [0]], "names node -1"), ([[1], [3]], "edge 0 joins graphs 0 and 1")],
)
@pytest.mark.parametrize("undirected", [False, True])
def test_wrong_end_points_are_refused(ends: list[list[int]], message: str, undirected: bool) -> None:
    with pytest.raises(GraphError, match=message):
        from_edges(torch.tensor(ends), torch.tensor([3, 2]), undirected=undirected)


@pytest.mark.parametrize("rows", [0, 4])
@pytest.mark.parametrize("table", ["nodes", "edges", "graphs"])
@pytest.mark.parametrize("undirected", [False, True])
def test_a_column_of_another_length_is_refused(undirected: bool, table: str, rows: int) -> None:
    edges, columns = torch.tensor([[0, 1], [1, 2]]), {table: {"x": torch.zeros(rows)}}
    with pytest.raises(GraphError, match="'x'"):
        from_edges(edges, torch.tensor([3]), undirected=undirected, **columns)
