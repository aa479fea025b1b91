"""Small graphs whose sets of nodes are counted one by one."""

from __future__ import annotations

import networkx as nx
import pytest
import torch

from graphwright.core import GraphBatch, from_edges

GRAPHS = {
    "path": nx.path_graph(5),
    "cycle": nx.cycle_graph(6),
    "star": nx.star_graph(4),
    "isolated": nx.empty_graph(3),
    "one": nx.empty_graph(1),
    "random": nx.gnp_random_graph(7, 0.4, seed=1),
}
graphs = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)


def weighted_graph(graph: nx.Graph) -> GraphBatch:
    """With weights of nodes and edges that are different and exact."""
    edges = torch.tensor(list(graph.edges), dtype=torch.int64).reshape(-1, 2).T
    return from_edges(
        edges,
        torch.tensor([len(graph)]),
        undirected=True,
        nodes={"weight": 1 + torch.arange(len(graph)) / 4},
        edges={"weight": edge_weights(graph)},
    )


def edge_weights(graph: nx.Graph) -> torch.Tensor:
    """[L] float32, in the order of the edges."""
    return torch.arange(len(graph.edges)) / 8 - 0.5


def sets(states: GraphBatch, column: str) -> list[frozenset[int]]:
    """The nodes of each graph where a bool column is true."""
    parts = states.nodes[column].split(states.node_segments.lengths.tolist())
    return [frozenset(part.nonzero().squeeze(1).tolist()) for part in parts]
