"""Laws of `from_networkx` and `to_networkx`: a round trip is exact, and every attribute follows the one rule."""

from __future__ import annotations

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.networkx import from_networkx, to_networkx
from graphwright.core import GraphBatch, GraphError, from_edges

from .named_graphs import assert_same_batch, assert_same_column, assert_same_named, batches, named_graphs

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)


@EXAMPLES
@given(named_graphs())
def test_a_named_graph_comes_back_exactly(named: NamedGraph) -> None:
    back = from_networkx(to_networkx(named))
    back.graph.validate()
    assert_same_named(back, named)


@EXAMPLES
@given(batches())
def test_a_batch_of_one_comes_back_exactly_with_numbers_for_names(graph: GraphBatch) -> None:
    back = from_networkx(to_networkx(graph))
    assert back.names == tuple(str(node) for node in range(graph.num_nodes))
    assert_same_batch(back.graph, graph)


@EXAMPLES
@given(named_graphs())
def test_networkx_sees_the_same_graph(named: NamedGraph) -> None:
    graph, result = named.graph, to_networkx(named)
    assert result.is_directed() == named.directed
    assert tuple(result) == named.names
    assert result.number_of_edges() == graph.links[0].numel()
    degree = dict(result.in_degree() if named.directed else result.degree())
    loops = torch.bincount(graph.edge_index[0][graph.edge_index[0] == graph.edge_index[1]], minlength=graph.num_nodes)
    expected = graph.in_degree if named.directed else graph.in_degree + loops  # networkx counts both ends of a loop
    assert [degree[name] for name in named.names] == expected.tolist()
    assert all(type(value) in (bool, int, float, list) for _, row in result.nodes(data=True) for value in row.values())


@st.composite
def mixed_up(draw) -> NamedGraph:
    """An undirected graph whose parallel edges were given in both directions."""
    pairs = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=8))
    flow = torch.arange(len(pairs))
    links = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T
    return NamedGraph.numbered(from_edges(links, torch.tensor([3]), undirected=True, edges={"flow": flow}))


@EXAMPLES
@given(mixed_up())
def test_links_come_back_however_parallel_edges_were_paired(named: NamedGraph) -> None:
    back = from_networkx(to_networkx(named))
    back.graph.validate()
    (links, columns), (links_back, columns_back) = named.links(), back.links()
    assert torch.equal(links, links_back)
    assert torch.equal(columns["flow"], columns_back["flow"])


def example(kind: type[nx.Graph] = nx.Graph) -> nx.Graph:
    graph = kind()
    graph.add_node("a", count=1, length=0.1, on=True, place=[1, 2.5], label="A", speed=5)
    graph.add_node("b", count=2, length=2.0, on=False, place=[3, 4], label="B", lat=51.5)
    return graph


def test_attributes_become_columns_by_the_one_rule() -> None:
    nodes = from_networkx(example()).graph.nodes
    assert nodes.keys() == {"count", "length", "on", "place", "speed", "lat"}  # no text
    assert_same_column(nodes["count"], torch.tensor([1, 2]))
    assert_same_column(nodes["length"], torch.tensor([0.1, 2.0], dtype=torch.float64))
    assert_same_column(nodes["on"], torch.tensor([True, False]))
    assert_same_column(nodes["place"], torch.tensor([[1, 2.5], [3, 4]], dtype=torch.float64))
    assert_same_column(nodes["speed"], torch.tensor([5, torch.nan], dtype=torch.float64))
    assert_same_column(nodes["lat"], torch.tensor([torch.nan, 51.5], dtype=torch.float64))


def test_tensors_and_numpy_values_keep_their_dtype() -> None:
    graph = nx.path_graph(2)
    for node in graph:
        graph.nodes[node].update(a=torch.tensor([1.0, 2.0], dtype=torch.bfloat16), b=torch.ones(3).numpy())
    nodes = from_networkx(graph).graph.nodes
    assert (nodes["a"].dtype, nodes["a"].shape) == (torch.bfloat16, (2, 2))
    assert (nodes["b"].dtype, nodes["b"].shape) == (torch.float32, (2, 3))


def test_lists_of_several_lengths_and_mixtures_with_text_are_left_out() -> None:
    graph = nx.path_graph(2)
    graph.nodes[0].update(ragged=[1], mixed=1, kind={"a": 1})
    graph.nodes[1].update(ragged=[1, 2], mixed="one", kind={"a": 2})
    assert not from_networkx(graph).graph.nodes


@pytest.mark.parametrize(
    "values", [(2**63, 1), (2**53 + 1, 0.5), (-(2**63) - 1, 0), (2**70, 2**70), (2**63, -1), (2**53 + 1, None)]
)
def test_integers_that_would_change_are_refused(values: tuple[float, float | None]) -> None:
    graph = nx.path_graph(2)
    nx.set_node_attributes(graph, dict(enumerate(values)), "big")
    with pytest.raises(GraphError, match=r"attribute 'big': no column holds -?\d+"):
        from_networkx(graph)


def test_chosen_columns_are_taken_and_no_others() -> None:
    graph = example()
    graph.add_edge("a", "b", cost=1.5, delay=2)
    named = from_networkx(graph, node_columns=["count"], edge_columns=[])
    assert named.graph.nodes.keys() == {"count"}
    assert named.graph.edges.keys() == {"reverse"}


@pytest.mark.parametrize("name", ["label", "nowhere"])
def test_a_chosen_column_must_be_there_and_numeric(name: str) -> None:
    with pytest.raises(GraphError, match=f"node attribute '{name}'"):
        from_networkx(example(), node_columns=[name])


@pytest.mark.parametrize("kind", [nx.MultiGraph, nx.MultiDiGraph])
def test_parallel_edges_and_loops_stay(kind: type[nx.Graph]) -> None:
    graph = example(kind)
    graph.add_edges_from([("b", "a", {"w": 1}), ("a", "b", {"w": 2}), ("b", "a", {"w": 3}), ("a", "a", {"w": 4})])
    named = from_networkx(graph)
    named.graph.validate()
    source, target = named.graph.edge_index.tolist()
    rows = sorted(zip(source, target, named.graph.edges["w"].tolist(), strict=True))
    if named.directed:
        assert rows == [(0, 0, 4), (0, 1, 2), (1, 0, 1), (1, 0, 3)]
    else:
        assert rows == [(0, 0, 4), *[(0, 1, w) for w in (1, 2, 3)], *[(1, 0, w) for w in (1, 2, 3)]]
    assert type(to_networkx(named)) is kind


def test_edited_values_win_over_the_note_on_types() -> None:
    graph = to_networkx(from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=False,
                                   nodes={"n": torch.tensor([1, 2], dtype=torch.int32)}))  # fmt: skip
    graph.nodes[0]["n"] = 0.1
    assert_same_column(from_networkx(graph).graph.nodes["n"], torch.tensor([0.1, 2], dtype=torch.float64))


def test_what_neither_side_can_hold_is_refused() -> None:
    two = from_edges(torch.tensor([[0], [1]]), torch.tensor([2, 1]), undirected=True)
    with pytest.raises(GraphError, match="holds one graph, not 2"):
        to_networkx(two)
    one = two.select(torch.tensor([0]))
    with pytest.raises(GraphError, match="'flow' differs between the two directions of '0' - '1'"):
        to_networkx(one.with_edges(flow=torch.tensor([1, 2])))
    with pytest.raises(GraphError, match="'x' is complex64"):
        to_networkx(one.with_nodes(x=torch.zeros(2, dtype=torch.complex64)))
    with pytest.raises(GraphError, match="two nodes are named '1'"):
        from_networkx(nx.Graph([(1, "1")]))
    with pytest.raises(GraphError, match="'reverse'"):
        from_networkx(nx.Graph([(0, 1, {"reverse": 1})]))
    with pytest.raises(GraphError, match="1 names for 2 nodes"):
        NamedGraph(one, ("a",))
