"""Actions name candidates: `arrange` lays candidates out graph by graph, `locate` finds them again."""

from __future__ import annotations

import json
import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core import (
    ActionBlock,
    ActionSpec,
    GraphBatch,
    from_edges,
    out_edges,
    pair_ends,
    per_decider,
    per_edge,
    per_graph,
    per_neighbour,
    per_node,
    per_pair,
    per_unordered_pair,
    unordered_pair_nodes,
    unordered_pair_row,
    unordered_pair_segments,
)
from graphwright.core.rows import EDGES, GRAPHS, NODES, PAIRS, ROW_KINDS, UNORDERED_PAIRS, Sizes
from graphwright.core.segment import segment_logsumexp
from strategies import alone, assert_same, ragged_batches

Candidate = tuple[int, int, int]
PER_GRAPH = [kind for kind in ROW_KINDS.values() if "graphs" in kind.offered_to]
blocks = st.builds(
    ActionBlock,
    st.text(max_size=3),
    st.sampled_from([NODES, EDGES, GRAPHS, PAIRS, UNORDERED_PAIRS]),
    st.integers(1, 3),
)
specs = st.lists(blocks, min_size=1, max_size=4, unique_by=lambda block: block.name).map(lambda some: ActionSpec(*some))


def rows_of(block: ActionBlock, graph: GraphBatch) -> list[int]:
    """How many rows each graph has for a block, counted in plain Python; an undirected edge is one row."""
    if block.rows == GRAPHS:
        return [1] * graph.num_graphs
    if block.rows == NODES:
        return graph.node_ptr.diff().tolist()
    if block.rows == PAIRS:
        return [n * n for n in graph.node_ptr.diff().tolist()]
    if block.rows == UNORDERED_PAIRS:
        return [n * (n - 1) // 2 for n in graph.node_ptr.diff().tolist()]
    if "reverse" not in graph.edges:
        return graph.edge_ptr.diff().tolist()
    parts = graph.edges["reverse"].split(graph.edge_ptr.diff().tolist())
    return [sum(k <= opposite for k, opposite in enumerate(part.tolist())) for part in parts]


def candidates(spec: ActionSpec, graph: GraphBatch) -> list[list[Candidate]]:
    """(block, row, column) of each candidate of each graph, in the order that the class promises."""
    rows = [rows_of(block, graph) for block in spec.blocks]
    return [
        [
            (b, row, column)
            for b, block in enumerate(spec.blocks)
            for row in range(rows[b][g])
            for column in range(block.columns)
        ]
        for g in range(graph.num_graphs)
    ]


def codes(spec: ActionSpec, graph: GraphBatch) -> list[Tensor]:
    """One tensor a block, as a network gives it, whose numbers say graph, block, row and column."""
    values = []
    for b, block in enumerate(spec.blocks):
        cells = [
            [code(g, (b, row, column)) for column in range(block.columns)]
            for g, count in enumerate(rows_of(block, graph))
            for row in range(count)
        ]
        values.append(torch.tensor(cells, dtype=torch.int64).reshape(-1, block.columns))
    return values


def code(graph: int, candidate: Candidate) -> int:
    block, row, column = candidate
    return ((graph * 100 + block) * 100 + row) * 100 + column


@given(specs, ragged_batches())
def test_arrange_lays_blocks_rows_and_columns_out_in_order(spec: ActionSpec, graph: GraphBatch) -> None:
    expected = [[code(g, candidate) for candidate in some] for g, some in enumerate(candidates(spec, graph))]
    segments = spec.segments(graph)
    assert segments.lengths.tolist() == [len(some) for some in expected]
    assert spec.arrange(graph, codes(spec, graph)).tolist() == [number for some in expected for number in some]


@given(specs, ragged_batches())
def test_arrange_takes_rows_without_columns_too(spec: ActionSpec, graph: GraphBatch) -> None:
    values = codes(spec, graph)
    flat = [value.squeeze(1) if value.shape[1] == 1 else value for value in values]
    assert_same(spec.arrange(graph, flat), spec.arrange(graph, values))


@given(specs, ragged_batches())
def test_locate_inverts_arrange(spec: ActionSpec, graph: GraphBatch) -> None:
    expected = candidates(spec, graph)
    for k in range(max(map(len, expected), default=0)):
        action = torch.tensor([min(k, len(some) - 1) for some in expected], dtype=torch.int64)  # -1 where there is none
        choice = torch.stack(spec.locate(graph, action), dim=1).tolist()
        for place, found, some in zip(action.tolist(), choice, expected, strict=True):
            assert place < 0 or tuple(found) == some[place]


@given(specs, ragged_batches())
def test_compose_inverts_locate(spec: ActionSpec, graph: GraphBatch) -> None:
    lengths = spec.segments(graph).lengths
    graph = graph.select(lengths > 0)
    lengths = lengths[lengths > 0]
    for k in range(int(lengths.max()) if lengths.numel() else 0):
        action = torch.minimum(torch.tensor(k), lengths - 1)
        assert_same(spec.compose(graph, spec.locate(graph, action)), action)


@given(specs, ragged_batches(graphs=(1, 4)))
def test_an_action_means_the_same_in_every_batch(spec: ActionSpec, graph: GraphBatch) -> None:
    parts = spec.segments(graph).lengths.tolist()
    together = spec.arrange(graph, [value % 10**6 for value in codes(spec, graph)]).split(parts)
    for index, part in enumerate(together):
        single = alone(graph, index)
        assert_same(part, spec.arrange(single, codes(spec, single)))


def test_all_nodes_of_a_graph_share_one_softmax() -> None:
    graph = from_edges(torch.zeros(2, 0), torch.tensor([3, 2]), undirected=True)
    logits = torch.tensor([[1.0, 2], [3, 4], [5, 6], [7, 8], [9, 0]])
    spec = ActionSpec(per_node("add", 2))
    assert spec.arrange(graph, [logits]).tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
    assert spec.segments(graph).ptr.tolist() == [0, 6, 10]


def test_a_second_block_shares_the_normaliser() -> None:
    graph = from_edges(torch.zeros(2, 0), torch.tensor([3, 2]), undirected=True)
    nodes, stop = torch.tensor([[1.0, 2], [3, 4], [5, 6], [7, 8], [9, 0]]), torch.tensor([10.0, 20])
    spec = ActionSpec(per_node("add", 2), per_graph("stop"))
    logits = spec.arrange(graph, [nodes, stop])
    assert logits.tolist() == [1, 2, 3, 4, 5, 6, 10, 7, 8, 9, 0, 20]
    expected = [torch.tensor([1.0, 2, 3, 4, 5, 6, 10]).logsumexp(0), torch.tensor([7.0, 8, 9, 0, 20]).logsumexp(0)]
    torch.testing.assert_close(segment_logsumexp(logits, spec.segments(graph)), torch.stack(expected))
    choice = spec.locate(graph, torch.tensor([6, 3]))
    assert [part.tolist() for part in choice] == [[1, 0], [0, 1], [0, 1]]


def test_an_undirected_edge_is_one_row() -> None:
    graph = from_edges(torch.tensor([[0, 1, 2, 3], [1, 2, 2, 4]]), torch.tensor([3, 2]), undirected=True)
    assert ActionSpec(per_edge("cut", 2)).segments(graph).lengths.tolist() == [6, 2]
    rows, _ = graph.links
    assert sorted(map(sorted, graph.edge_index[:, rows].T.tolist())) == [[0, 1], [1, 2], [2, 2], [3, 4]]


@pytest.mark.parametrize("names", [[], ["a", "a"]])
def test_a_spec_needs_blocks_with_different_names(names: list[str]) -> None:
    with pytest.raises(ValueError, match="different names"):
        ActionSpec(*map(per_node, names))


@given(ragged_batches())
def test_pairs_are_counted_row_by_row(graph: GraphBatch) -> None:
    expected = [
        (start + u, start + v)
        for start, n in zip(graph.node_ptr.tolist(), graph.node_ptr.diff().tolist(), strict=False)
        for u in range(n)
        for v in range(n)
    ]
    assert list(zip(*(ends.tolist() for ends in pair_ends(graph)), strict=True)) == expected


@given(ragged_batches())
def test_unordered_pairs_are_counted_by_their_later_node(graph: GraphBatch) -> None:
    pairs = unordered_pair_segments(graph)
    u, v = unordered_pair_nodes(pairs.position)
    expected = [(a, b) for n in graph.node_ptr.diff().tolist() for b in range(n) for a in range(b)]
    assert list(zip(u.tolist(), v.tolist(), strict=True)) == expected
    assert pairs.index.tolist() == rows_to_graphs(rows_of(per_unordered_pair("join"), graph))


def rows_to_graphs(counts: list[int]) -> list[int]:
    return [graph for graph, count in enumerate(counts) for _ in range(count)]


@given(st.integers(0, 2**24), st.integers(0, 2**24))
def test_a_pair_has_one_row_however_it_is_written_and_the_row_has_that_pair(one: int, other: int) -> None:
    """Also where squares are so large that a root that is rounded would be wrong."""
    other += one == other
    ends = torch.tensor([one]), torch.tensor([other])
    row = unordered_pair_row(*ends)
    low, high = sorted((one, other))
    assert row.tolist() == unordered_pair_row(*ends[::-1]).tolist() == [high * (high - 1) // 2 + low]
    assert [int(end) for end in unordered_pair_nodes(row)] == [low, high]


def test_the_place_of_an_unordered_pair_outlives_a_new_node() -> None:
    small, large = (from_edges(torch.zeros(2, 0), torch.tensor([n]), undirected=True) for n in (3, 4))
    spec = ActionSpec(per_graph("stop"), per_unordered_pair("join", 2))
    for action in range(1, 7):
        assert spec.locate(small, torch.tensor([action])) == spec.locate(large, torch.tensor([action]))


@given(ragged_batches(), st.integers(0, 100))
def test_neighbours_are_the_edges_out_of_where_the_agent_stands(graph: GraphBatch, draw: int) -> None:
    sizes = graph.node_ptr.diff()
    graph = graph.with_graphs(at=torch.where(sizes > 0, draw % sizes.clamp(min=1), 0))
    rows, segments = out_edges(graph)
    expected = [
        [e for e in range(graph.num_edges) if graph.edge_index[0, e] == start + at and graph.edge_graph[e] == g]
        for g, (start, at) in enumerate(zip(graph.node_ptr.tolist(), graph.graphs["at"].tolist(), strict=False))
    ]
    assert rows.tolist() == [row for some in expected for row in some]
    assert segments.lengths.tolist() == [len(some) for some in expected]
    assert_same(ActionSpec(per_neighbour("go")).segments(graph).ptr, segments.ptr)


def test_a_continuous_block_stands_alone() -> None:
    assert ActionSpec(per_decider("push", continuous=2), decider="nodes").continuous
    assert not ActionSpec(per_pair("join")).continuous
    with pytest.raises(ValueError, match="stands alone"):
        ActionSpec(per_decider("push", continuous=1), per_neighbour("go"), decider="nodes")


@given(ragged_batches())
def test_no_graph_has_more_rows_than_its_sizes_say(graph: GraphBatch) -> None:
    at = graph.with_graphs(at=torch.zeros(graph.num_graphs, dtype=torch.int64))
    for kind in PER_GRAPH:
        seen = at.select(graph.node_segments.lengths > 0)
        for nodes, links, degree, count in zip(
            seen.node_segments.lengths.tolist(),
            seen.links[1].lengths.tolist(),
            out_edges(seen)[1].lengths.tolist(),
            kind.segments(seen).lengths.tolist(),
            strict=True,
        ):
            assert kind.most(Sizes(nodes, links, degree)) == count


@given(ragged_batches())
def test_places_name_one_row_of_the_table_for_each_row_of_the_kind(graph: GraphBatch) -> None:
    at = graph.with_graphs(at=torch.zeros(graph.num_graphs, dtype=torch.int64)).select(graph.node_segments.lengths > 0)
    sizes = {"nodes": at.num_nodes, "edges": at.num_edges, "graphs": at.num_graphs}
    for kind in PER_GRAPH:
        if kind.table is not None:
            places = kind.places(at)
            assert places.numel() == kind.segments(at).num_rows == places.unique().numel()
            assert bool((places < sizes[kind.table]).all())


def test_kinds_are_equal_where_their_classes_are() -> None:
    assert pickle.loads(pickle.dumps(NODES)) == NODES
    assert len(set(ROW_KINDS.values())) == len(ROW_KINDS)


@given(specs)
def test_a_spec_comes_back_from_a_file(spec: ActionSpec) -> None:
    assert ActionSpec.from_dict(json.loads(json.dumps(spec.as_dict()))) == spec
