"""What a policy decides on edges, in the order in which a user listed them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data

from graphwright.adapters.edge_rows import edge_rows
from graphwright.adapters.pyg import from_pyg
from graphwright.core import GraphError, simplify
from strategies import seeded


@given(st.integers(1, 6), st.integers(0, 20), st.integers(0, 1000))
def test_every_edge_finds_its_own_row(num_nodes: int, num_edges: int, seed: int) -> None:
    ends = torch.randint(num_nodes, (2, num_edges), generator=seeded(seed))
    data = Data(edge_index=ends, edge_number=torch.arange(num_edges), num_nodes=num_nodes)
    graph = from_pyg(Batch.from_data_list([data, data]), undirected=False)
    both = Batch.from_data_list([data, data]).edge_index
    rows = edge_rows(graph, both)
    assert sorted(rows.tolist()) == list(range(2 * num_edges))  # a permutation, parallel edges and loops included
    assert torch.equal(graph.edge_index[:, rows], both)
    assert graph.edges["edge_number"][rows].tolist() == [*range(num_edges)] * 2


def test_edges_that_were_merged_share_a_row_and_those_that_were_dropped_have_none() -> None:
    ends = torch.tensor([[1, 0, 0, 2, 1], [0, 1, 2, 2, 2]])
    graph = simplify(from_pyg(Data(edge_index=ends, num_nodes=3)))
    rows = edge_rows(graph, ends)
    assert rows[3] == -1  # a loop
    kept = rows >= 0
    assert torch.equal(graph.edge_index[:, rows[kept]], ends[:, kept])
    doubled = torch.tensor([[0, 0], [1, 1]])
    assert edge_rows(graph, doubled).tolist() == [int(rows[1])] * 2


def test_nodes_of_another_graph_are_refused() -> None:
    graph = from_pyg(Data(edge_index=torch.tensor([[0], [1]]), num_nodes=2))
    with pytest.raises(GraphError, match="edge_index names node 5, but the nodes are 0 to 1"):
        edge_rows(graph, torch.tensor([[5], [0]]))
