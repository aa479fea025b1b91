"""Batches only move graphs: what a graph is, read off in plain Python, is the same before and after."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.core.segment import Segments
from strategies import assert_same, assert_same_batch, ragged_batches, some_of

Plain = list[dict[str, Any]]


def plain(batch: GraphBatch) -> Plain:
    """Each graph of a batch as lists, its nodes counted from its own first."""
    nodes, edges = batch.node_ptr.tolist(), batch.edge_ptr.tolist()
    return [
        {
            "size": nodes[i + 1] - nodes[i],
            "edges": [(u - nodes[i], v - nodes[i]) for u, v in batch.edge_index.T[edges[i] : edges[i + 1]].tolist()],
            "node columns": {name: column[nodes[i] : nodes[i + 1]].tolist() for name, column in batch.nodes.items()},
            "edge columns": {name: column[edges[i] : edges[i + 1]].tolist() for name, column in batch.edges.items()},
            "graph columns": {name: column[i].tolist() for name, column in batch.graphs.items()},
        }
        for i in range(batch.num_graphs)
    ]


def assert_sound(batch: GraphBatch) -> None:
    """Every rule holds, and all that is derived, carried over or not, is what counting gives."""
    batch.validate()
    graphs = plain(batch)
    assert batch.num_nodes == sum(graph["size"] for graph in graphs)
    assert batch.num_edges == sum(len(graph["edges"]) for graph in graphs)
    assert batch.node_graph.tolist() == [i for i, graph in enumerate(graphs) for _ in range(graph["size"])]
    assert batch.edge_graph.tolist() == [i for i, graph in enumerate(graphs) for _ in graph["edges"]]
    ends = batch.edge_index[1].tolist()
    assert batch.in_degree.tolist() == [ends.count(node) for node in range(batch.num_nodes)]
    for node, (begin, end) in enumerate(zip(batch.in_edges.ptr, batch.in_edges.ptr[1:], strict=False)):
        assert ends[begin:end] == [node] * int(end - begin)
    assert batch.in_edges.index.tolist() == ends
    links, share = batch.links
    once = [[k for k, opposite in enumerate(reverses(graph)) if k <= opposite] for graph in graphs]
    starts = batch.edge_ptr.tolist()
    assert links.tolist() == [start + k for start, ks in zip(starts, once, strict=False) for k in ks]
    assert share.lengths.tolist() == [len(ks) for ks in once]


def reverses(graph: dict[str, Any]) -> list[int]:
    return graph["edge columns"].get("reverse", range(len(graph["edges"])))


def with_everything_cached(batch: GraphBatch) -> GraphBatch:
    assert_sound(batch)
    return batch


CHANGES: dict[str, Callable[[GraphBatch], GraphBatch]] = {
    "select": lambda batch: batch.select(torch.arange(batch.num_graphs).flip(0)),
    "select by mask": lambda batch: batch.select(torch.arange(batch.num_graphs) % 2 == 0),
    "concat": lambda batch: GraphBatch.concat([batch, batch.select(torch.arange(0)), batch]),
    "replace": lambda batch: batch.replace(torch.arange(batch.num_graphs).flip(0), batch),
    "with_nodes": lambda batch: batch.with_nodes(new=torch.zeros(batch.num_nodes)),
    "with_edges": lambda batch: batch.with_edges(new=torch.zeros(batch.num_edges)),
    "with_graphs": lambda batch: batch.with_graphs(new=torch.zeros(batch.num_graphs)),
    "keep": lambda batch: batch.keep(nodes=["x"]),
    "filter_edges": lambda batch: batch.filter_edges(batch.edges["open"]),
    "to": lambda batch: batch.to("cpu"),
}


@pytest.mark.parametrize("change", CHANGES)
@given(ragged_batches(), st.booleans())
def test_every_change_keeps_every_rule(change: str, batch: GraphBatch, cached: bool) -> None:
    assert_sound(CHANGES[change](with_everything_cached(batch) if cached else batch))


@given(ragged_batches(), st.data())
def test_select_gives_those_graphs(batch: GraphBatch, data: st.DataObject) -> None:
    index = data.draw(some_of(batch.num_graphs))
    graphs = plain(batch)
    assert plain(batch.select(torch.tensor(index, dtype=torch.int64))) == [graphs[i] for i in index]


@given(ragged_batches(), st.data())
def test_select_by_mask_is_select_where_it_is_true(batch: GraphBatch, data: st.DataObject) -> None:
    count = batch.num_graphs
    mask = torch.tensor(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)), dtype=torch.bool)
    assert_same_batch(batch.select(mask), batch.select(mask.nonzero().squeeze(1)))


@given(st.booleans(), st.data())
def test_concat_is_one_after_the_other(undirected: bool, data: st.DataObject) -> None:
    batches = data.draw(st.lists(ragged_batches(graphs=(0, 2), undirected=undirected), min_size=1, max_size=4))
    joined = GraphBatch.concat(batches)
    assert_sound(joined)
    assert plain(joined) == [graph for batch in batches for graph in plain(batch)]


@given(ragged_batches())
def test_concat_of_the_single_graphs_is_the_batch(batch: GraphBatch) -> None:
    singles = [batch.select(torch.tensor([graph])) for graph in range(batch.num_graphs)]
    assert_same_batch(GraphBatch.concat([*singles, batch.select(torch.arange(0))]), batch)


@given(st.booleans(), st.data())
def test_replace_exchanges_those_graphs_and_no_others(undirected: bool, data: st.DataObject) -> None:
    batch = data.draw(ragged_batches(undirected=undirected))
    index = data.draw(st.permutations(range(batch.num_graphs)))[: data.draw(st.integers(0, batch.num_graphs))]
    other = data.draw(ragged_batches(graphs=(len(index), len(index)), undirected=undirected))
    expected = plain(batch)
    for place, graph in zip(index, plain(other), strict=True):
        expected[place] = graph
    replaced = batch.replace(torch.tensor(index, dtype=torch.int64), other)
    assert_sound(replaced)
    assert plain(replaced) == expected


@given(ragged_batches(), st.data())
def test_filter_edges_keeps_those_edges_and_all_nodes(batch: GraphBatch, data: st.DataObject) -> None:
    count = batch.num_edges
    mask = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    filtered = batch.filter_edges(torch.tensor(mask, dtype=torch.bool))
    starts = batch.edge_ptr.tolist()
    for start, before, after in zip(starts, plain(batch), plain(filtered), strict=False):
        kept = [k for k in range(len(before["edges"])) if mask[start + k]]
        columns = {name: column for name, column in before["edge columns"].items() if name != "reverse"}
        assert after == before | {
            "edges": [before["edges"][k] for k in kept],
            "edge columns": {name: [column[k] for k in kept] for name, column in columns.items()},
        }


@given(ragged_batches())
def test_keep_leaves_the_named_columns_and_reverse(batch: GraphBatch) -> None:
    kept = batch.keep(nodes=["x"], edges=["w"], graphs=["g", "code"])
    assert list(kept.nodes) == ["x"]
    assert list(kept.edges) == [name for name in ("w", "reverse") if name in batch.edges]
    assert list(kept.graphs) == ["g", "code"]
    missing = {table: {k: v for k, v in getattr(batch, table).items() if k not in getattr(kept, table)} for table in
               ("nodes", "edges", "graphs")}  # fmt: skip
    restored = kept.with_nodes(**missing["nodes"]).with_edges(**missing["edges"]).with_graphs(**missing["graphs"])
    assert_same_batch(restored, batch)


@given(ragged_batches())
def test_columns_are_added_and_exchanged_by_name(batch: GraphBatch) -> None:
    x, new = torch.zeros(batch.num_nodes, 7), torch.ones(batch.num_nodes)
    changed = batch.with_nodes(x=x, new=new)
    assert_same(changed.nodes["x"], x)
    assert_same(changed.nodes["new"], new)
    assert_same_batch(changed.with_nodes(x=batch.nodes["x"]).keep(batch.nodes, batch.edges, batch.graphs), batch)


@given(ragged_batches())
def test_tensors_round_trip_exactly(batch: GraphBatch) -> None:
    assert_same_batch(GraphBatch.from_tensors(batch.to_tensors()), batch)


@given(ragged_batches(graphs=(1, 4)), st.data())
def test_nothing_changes_the_batch_it_is_called_on(batch: GraphBatch, data: st.DataObject) -> None:
    before = {name: tensor.clone() for name, tensor in batch.to_tensors().items()}
    for change in CHANGES.values():
        change(batch)
    assert_same_batch(GraphBatch.from_tensors(before), batch)


def two_paths(**changes: Any) -> GraphBatch:
    """0 - 1 - 2 and 3 - 4, undirected, with one part exchanged."""
    graph = from_edges(torch.tensor([[0, 1, 3], [1, 2, 4]]), torch.tensor([3, 2]), undirected=True)
    parts = {name: getattr(graph, name) for name in ("edge_index", "node_ptr", "edge_ptr", "nodes", "edges", "graphs")}
    return GraphBatch(**{**parts, **changes})


REVERSE = two_paths().edges["reverse"]
BROKEN = {
    "node_ptr does not begin with 0": ({"node_ptr": torch.tensor([1, 3, 5])}, "node_ptr must .* begin with 0"),
    "node_ptr falls": ({"node_ptr": torch.tensor([0, 6, 5])}, "node_ptr must .* never fall"),
    "node_ptr is empty": ({"node_ptr": torch.tensor([], dtype=torch.int64)}, "node_ptr must"),
    "edge_ptr is a matrix": ({"edge_ptr": torch.tensor([[0, 4, 6]])}, "edge_ptr must be one-dimensional"),
    "edge_ptr is too short": ({"edge_ptr": torch.tensor([0, 6])}, "edge_ptr has 2 entries, node_ptr 3"),
    "edge_ptr ends early": ({"edge_ptr": torch.tensor([0, 4, 5])}, "edge_ptr ends at 5, but edge_index has 6"),
    "edge_ptr moves an edge": ({"edge_ptr": torch.tensor([0, 3, 6])}, "puts edge 3 in graph 1"),
    "edge_index is flat": ({"edge_index": torch.arange(6)}, r"edge_index has shape \(6,\)"),
    "a node is missing": ({"edge_index": two_paths().edge_index + 1}, "names node 5, but the nodes are 0 to 4"),
    "a node is negative": ({"edge_index": two_paths().edge_index - 1}, "names node -1"),
    "an edge joins graphs": ({"edge_index": torch.tensor([[0], [4]])}, "edge 0 joins graphs 0 and 1"),
    "edges are not sorted": (
        {"edge_index": two_paths().edge_index[:, [0, 1, 2, 3, 5, 4]]},
        "edge_index is not sorted by destination at edge 5 of graph 1",
    ),
    "sources are not sorted": (
        {"edge_index": two_paths().edge_index[:, [0, 2, 1, 3, 4, 5]]},
        "edge_index is not sorted by destination at edge 2 of graph 0",
    ),
    "a node column is short": ({"nodes": {"x": torch.zeros(4)}}, "node column 'x' .* must be 5"),
    "an edge column is long": ({"edges": {"w": torch.zeros(7, 2)}}, "edge column 'w' .* must be 6"),
    "a graph column is a number": ({"graphs": {"g": torch.tensor(1.0)}}, "graph column 'g' .* must be 2"),
    "reverse names itself": ({"edges": {"reverse": torch.zeros_like(REVERSE)}}, "'reverse' of graph 0 .* edge 0"),
    "reverse is out of its graph": (
        {"edges": {"reverse": REVERSE + torch.tensor([0] * 5 + [4])}},
        "'reverse' of graph 1",
    ),
    "reverse is negative": ({"edges": {"reverse": REVERSE - 5}}, "'reverse' of graph 0"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_validate_names_what_is_broken(case: str) -> None:
    two_paths().validate()
    parts, message = BROKEN[case]
    with pytest.raises(GraphError, match=message):
        two_paths(**parts).validate()


@pytest.mark.parametrize("name", ["edge_index", "node_ptr", "edge_ptr", "reverse"])
@pytest.mark.parametrize("dtype", [torch.int32, torch.float32])
def test_validate_refuses_indices_that_are_not_int64(name: str, dtype: torch.dtype) -> None:
    tensor = REVERSE if name == "reverse" else getattr(two_paths(), name)
    broken = {"edges": {name: tensor.to(dtype)}} if name == "reverse" else {name: tensor.to(dtype)}
    with pytest.raises(GraphError, match=name):
        two_paths(**broken).validate()


def test_validate_refuses_a_reverse_of_another_shape() -> None:
    with pytest.raises(GraphError, match="reverse"):
        two_paths(edges={"reverse": REVERSE[:, None]}).validate()


def test_parallel_edges_have_one_reverse_each() -> None:
    twice = torch.tensor([[0, 0, 1, 1], [1, 1, 0, 0]]).flip(0)
    reverse = torch.tensor([2, 2, 0, 0])
    shared = GraphBatch(twice, torch.tensor([0, 2]), torch.tensor([0, 4]), edges={"reverse": reverse})
    with pytest.raises(GraphError, match="'reverse' of graph 0 does not name the opposite of edge 1"):
        shared.validate()


def test_concat_names_the_column_that_is_missing() -> None:
    graph = two_paths()
    for part, name in (
        (graph.with_nodes(x=torch.zeros(5)), "node column 'x'"),
        (two_paths(edges={}), "edge column 'reverse'"),
    ):
        for batches in ([graph, part], [part, graph]):
            with pytest.raises(GraphError, match=name):
                GraphBatch.concat(batches)
    with pytest.raises(GraphError, match="at least one"):
        GraphBatch.concat([])


def test_replace_needs_one_place_a_graph() -> None:
    with pytest.raises(GraphError, match="1 places for 2 graphs"):
        two_paths().replace(torch.tensor([0]), two_paths())


@pytest.mark.parametrize("name", ["edge_index", "node_ptr", "edge_ptr"])
def test_from_tensors_names_what_is_missing(name: str) -> None:
    tensors = two_paths().to_tensors()
    del tensors[name]
    with pytest.raises(GraphError, match=name):
        GraphBatch.from_tensors(tensors)


def test_from_tensors_validates() -> None:
    with pytest.raises(GraphError, match="node column 'x'"):
        GraphBatch.from_tensors({**two_paths().to_tensors(), "nodes.x": torch.zeros(3)})


@given(ragged_batches())
def test_what_a_caller_has_computed_is_taken_over(batch: GraphBatch) -> None:
    trusted = GraphBatch.trusted(
        batch.edge_index,
        batch.node_segments,
        batch.edge_segments,
        nodes=batch.nodes,
        edges=batch.edges,
        graphs=batch.graphs,
        in_degree=batch.in_degree,
    )
    assert trusted.node_segments is batch.node_segments
    assert trusted.edge_segments is batch.edge_segments
    assert trusted.in_degree is batch.in_degree
    assert_sound(trusted)
    assert_same_batch(trusted, batch)


@pytest.mark.parametrize("table", ["nodes", "edges", "graphs"])
def test_keep_names_the_column_that_there_is_not(table: str) -> None:
    graph = from_edges(torch.tensor([[0], [1]]), torch.tensor([2]), undirected=True)
    with pytest.raises(GraphError, match=f"no {table.removesuffix('s')} column 'length'"):
        graph.keep(**{table: ["length"]})


def test_who_acts_is_asked_of_the_columns_that_there_are() -> None:
    path = from_edges(torch.tensor([[0, 1], [1, 2]]), torch.tensor([3]), undirected=True)
    assert path.acting_nodes[0].tolist() == [0, 1, 2]
    assert path.acting_links[0].tolist() == [0, 1]
    some = path.with_nodes(acts=torch.tensor([True, False, True]))
    some = some.with_edges(acts=torch.tensor([False, False, True, True]))
    assert some.acting_nodes[0].tolist() == [0, 2]
    assert some.acting_links[0].tolist() == [1]
    assert some.keep().acting_nodes[0].tolist() == [0, 1, 2]


def test_what_is_kept_across_changed_columns_does_not_depend_on_them() -> None:
    """Every property that is computed once is that of a batch that was made anew with the same columns."""
    graph = from_edges(
        torch.tensor([[0, 1, 3], [1, 2, 4]]), torch.tensor([3, 2]), undirected=True, nodes={"x": torch.zeros(5)}
    )
    names = [name for name in dir(GraphBatch) if isinstance(getattr(GraphBatch, name), cached_property)]
    assert len(names) >= 8
    for name in names:
        getattr(graph, name)
    acts = torch.arange(5) % 2 == 0
    changed = graph.with_nodes(x=torch.ones(5), acts=acts).with_edges(acts=torch.arange(6) < 3)
    fresh = GraphBatch.from_tensors(changed.to_tensors())
    for name in names:
        one, other = getattr(changed, name), getattr(fresh, name)
        for left, right in zip(parts(one), parts(other), strict=True):
            assert torch.equal(left, right), name


def parts(value) -> list[torch.Tensor]:  # type: ignore[no-untyped-def]
    if isinstance(value, tuple):
        return [part for each in value for part in parts(each)]
    return [value.ptr] if isinstance(value, Segments) else [value]
