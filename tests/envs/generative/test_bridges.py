"""Bridges are those that networkx finds."""

from __future__ import annotations

import networkx as nx
import pytest
import torch
from hypothesis import given

from graphwright.core import GraphBatch, from_edges
from graphwright.envs.generative.bridges import find_bridges
from strategies import assert_same, ragged_batches


def expected(graph: GraphBatch) -> list[bool]:
    """For each edge, by networkx, over the union of all graphs; a loop is none."""
    union = nx.Graph(graph.edge_index.T.tolist())
    bridges = {frozenset(pair) for pair in nx.bridges(union)}
    return [frozenset(pair) in bridges for pair in graph.edge_index.T.tolist()]


@given(ragged_batches(undirected=True, parallels=False, loops=False))
def test_bridges_are_those_of_networkx(graph: GraphBatch) -> None:
    found = find_bridges(graph)
    assert found.dtype == torch.bool
    assert found.tolist() == expected(graph)


@pytest.mark.parametrize(
    "graph",
    [
        nx.path_graph(2000),
        nx.cycle_graph(2000),
        nx.lollipop_graph(5, 30),
        nx.barbell_graph(4, 2),
        nx.gnm_random_graph(200, 210, seed=0),
    ],
    ids=["path", "cycle", "lollipop", "barbell", "random"],
)
def test_large_graphs(graph: nx.Graph) -> None:
    """Long paths too: the search keeps its own stack."""
    edges = torch.tensor(list(graph.edges)).T
    batch = from_edges(edges, torch.tensor([len(graph)]), undirected=True)
    assert find_bridges(batch).tolist() == expected(batch)


@given(ragged_batches(undirected=True, parallels=False, loops=False, graphs=(1, 4)))
def test_batching_changes_nothing(graph: GraphBatch) -> None:
    alone = [find_bridges(graph.select(torch.tensor([place]))) for place in range(graph.num_graphs)]
    assert_same(find_bridges(graph), torch.cat(alone))
