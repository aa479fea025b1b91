"""Rings: a single directed cycle through all nodes, against networkx on every set of edges."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
import torch

from graphwright.core import GraphBatch
from graphwright.envs.generative.edge_sets import PRESENT, EdgeSets, complete_graphs
from graphwright.envs.generative.tasks.ring_edges import RingReward, adjacency, is_ring


def all_sets(nodes: int) -> GraphBatch:
    """Every set of directed edges."""
    links = nodes * (nodes - 1)
    bits = (torch.arange(2**links)[:, None] >> torch.arange(links)) & 1
    return complete_graphs(2**links, nodes, directed=True).with_edges(**{PRESENT: bits.flatten().bool()})


@pytest.mark.parametrize("nodes", [1, 2, 3, 4])
def test_rings_are_the_hamiltonian_cycles(nodes: int) -> None:
    """(n - 1)! of them; of one node alone none, since there are no loops."""
    states = all_sets(nodes)
    matrices = adjacency(EdgeSets(nodes), states)["adjacency"]
    assert matrices.shape == (states.num_graphs, nodes, nodes)
    found = is_ring(states).tolist()
    for matrix, ring in zip(matrices, found, strict=True):
        if (matrix.sum(0) == 1).all() and (matrix.sum(1) == 1).all():
            graph = nx.from_numpy_array(matrix.astype(int), create_using=nx.DiGraph)
            assert ring == (nx.number_strongly_connected_components(graph) == 1)
        else:
            assert not ring
    assert sum(found) == (math.factorial(nodes - 1) if nodes > 1 else 0)


@pytest.mark.parametrize(("nodes", "expected"), [(3, 5.298318), (4, 6.396936)])
def test_log_z_by_hand(nodes: int, expected: float) -> None:
    rewards = RingReward()(EdgeSets(nodes), all_sets(nodes))
    rings, others = math.factorial(nodes - 1), 2 ** (nodes * (nodes - 1)) - math.factorial(nodes - 1)
    assert float(rewards.logsumexp(0)) == pytest.approx(math.log(100 * rings + 1e-6 * others), abs=1e-12)
    assert float(rewards.logsumexp(0)) == pytest.approx(expected, abs=1e-6)


def test_two_rings_side_by_side_are_none() -> None:
    matrix = np.zeros((6, 6), dtype=bool)
    for u, v in [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)]:
        matrix[u, v] = True
    graph = complete_graphs(1, 6, directed=True)
    one = graph.with_edges(**{PRESENT: torch.from_numpy(matrix)[graph.edge_index[0], graph.edge_index[1]]})
    matrix[[2, 5]] = matrix[[5, 2]]  # joined to one
    both = GraphBatch.concat(
        [one, graph.with_edges(**{PRESENT: torch.from_numpy(matrix)[graph.edge_index[0], graph.edge_index[1]]})]
    )
    assert is_ring(both).tolist() == [False, True]
    assert not is_ring(both.select(torch.zeros(0, dtype=torch.int64))).numel()
