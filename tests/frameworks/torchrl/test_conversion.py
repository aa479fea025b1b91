from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphwright.core import GraphBatch, GraphError, Segments
from graphwright.frameworks.torchrl.conversion import (
    fill,
    from_adjacency,
    from_edge_index,
    take,
    to_adjacency,
    to_edge_index,
)
from strategies import assert_same, assert_same_batch, ragged_batches, seeded

more_room = st.integers(0, 3)


def longest(segments: Segments) -> int:
    return int(segments.lengths.max()) if segments.num_groups else 0


def topology(graph: GraphBatch) -> GraphBatch:
    return GraphBatch(graph.edge_index, graph.node_ptr, graph.edge_ptr)


@given(ragged_batches(), more_room)
def test_rows_survive_padding_of_any_length(graph: GraphBatch, more: int) -> None:
    for segments, column in ((graph.node_segments, graph.nodes["x"]), (graph.edge_segments, graph.edges["label"])):
        dense = fill(column, segments, longest(segments) + more, 7)
        assert dense.shape == (graph.num_graphs, longest(segments) + more, *column.shape[1:])
        assert_same(take(dense, segments), column)
        outside = torch.arange(dense.shape[1]) >= segments.lengths.unsqueeze(1)
        assert bool((dense[outside] == 7).all())


@given(ragged_batches(undirected=False), more_room)
def test_edges_survive_padded_indices(graph: GraphBatch, more: int) -> None:
    dense = to_edge_index(graph, longest(graph.edge_segments) + more)
    back = from_edge_index(dense, graph.node_segments.lengths, graph.edge_segments.lengths)
    assert_same_batch(back, topology(graph))


@given(ragged_batches(undirected=False, parallels=False), more_room)
def test_edges_survive_an_adjacency(graph: GraphBatch, more: int) -> None:
    adjacency = to_adjacency(graph, longest(graph.node_segments) + more)
    back = from_adjacency(adjacency, graph.node_segments.lengths)
    assert_same_batch(back, topology(graph))


def test_the_order_of_dense_edges_does_not_matter() -> None:
    edge_index = torch.tensor([[[0, 1, 2, 2], [1, 2, 0, 1]]])
    shuffled = edge_index[:, :, torch.randperm(4, generator=seeded())]
    num_nodes = torch.tensor([3])
    assert_same_batch(from_edge_index(edge_index, num_nodes), from_edge_index(shuffled, num_nodes))


def test_an_adjacency_reads_from_row_to_column_and_ignores_padding() -> None:
    adjacency = torch.ones(1, 3, 3)
    adjacency[0, :2, :2] = torch.tensor([[0.0, 0.5], [0.0, 0.0]])
    assert from_adjacency(adjacency, torch.tensor([2])).edge_index.tolist() == [[0], [1]]


def test_bad_input_gets_one_clear_line() -> None:
    with pytest.raises(GraphError, match=r"graph 1 joins nodes \[0, 2\], but it has 2; give num_edges"):
        from_edge_index(torch.tensor([[[0], [1]], [[0], [2]]]), torch.tensor([2, 2]))
    with pytest.raises(GraphError, match="a graph has 4 rows, there is room for 3"):
        take(torch.zeros(1, 3), Segments.from_lengths(torch.tensor([4])))
    with pytest.raises(GraphError, match="a graph has 4 rows, there is room for 3"):
        fill(torch.zeros(4), Segments.from_lengths(torch.tensor([4])), 3)
    with pytest.raises(GraphError, match="adjacency: a graph has 4 rows, there is room for 3"):
        from_adjacency(torch.ones(1, 3, 3), torch.tensor([4]))
    with pytest.raises(GraphError, match="edge_index: a graph has 3 rows, there is room for 2"):
        from_edge_index(torch.zeros(1, 2, 2, dtype=torch.int64), torch.tensor([1]), torch.tensor([3]))
