"""Directed acyclic graphs: all small ones, and the mask against networkx."""

from __future__ import annotations

import itertools
import math

import networkx as nx
import pytest
import torch

from flow_walk import legal, walk
from graphwright.core import GraphBatch, from_edges
from graphwright.envs.conformance import check_environment
from graphwright.envs.generative.dag import Dags
from graphwright.envs.generative.edge_sets import PRESENT, complete_graphs
from strategies import seeded

Edges = frozenset[tuple[int, int]]


def edge_sets(states: GraphBatch) -> list[Edges]:
    """The edges (u, v) that are present in each graph."""
    pairs = (states.edge_index - states.node_ptr[states.edge_graph]).T
    sizes = states.edge_segments.lengths.tolist()
    parts = zip(pairs.split(sizes), states.edges[PRESENT].split(sizes), strict=True)
    return [frozenset((u, v) for u, v in rows[present].tolist()) for rows, present in parts]


@pytest.mark.parametrize(("num_nodes", "count"), [(1, 1), (2, 3), (3, 25), (4, 543)])
def test_as_many_graphs_as_robinson_counts_are_reached_in_every_order(num_nodes: int, count: int) -> None:
    # Robinson 1973, "Counting labeled acyclic digraphs"; A003024
    states, ways = walk(Dags(num_nodes), complete_graphs(1, num_nodes, directed=True), edge_sets)
    assert states.num_graphs == len(set(edge_sets(states))) == count
    assert all(ways[edges] == math.factorial(len(edges)) for edges in edge_sets(states))
    assert all(nx.is_directed_acyclic_graph(nx.DiGraph(list(edges))) for edges in edge_sets(states))


def test_they_conform() -> None:
    check_environment(Dags(5), complete_graphs(10, 5, directed=True))


@pytest.mark.parametrize("num_nodes", [2, 3, 5, 6, 9, 10, 17])
def test_the_mask_is_that_of_networkx_on_random_graphs(num_nodes: int) -> None:
    environment, random = Dags(num_nodes), seeded(num_nodes)
    state = environment.reset(complete_graphs(4, num_nodes, directed=True))
    for _ in range(2 * num_nodes):
        allowed = environment.observe(state).masks[1].split(state.edge_segments.lengths.tolist())
        for one, edges in enumerate(edge_sets(state)):
            graph = nx.DiGraph(list(edges))
            graph.add_nodes_from(range(num_nodes))
            pairs = ((u, v) for v, u in itertools.product(range(num_nodes), repeat=2) if u != v)
            assert allowed[one].tolist() == [
                pair not in edges and not nx.has_path(graph, pair[1], pair[0]) for pair in pairs
            ]
        owner, action = legal(environment, state, forward=True)
        if set(owner.tolist()) != {0, 1, 2, 3}:
            break
        lots = torch.rand(owner.numel(), generator=random)
        choice = torch.stack([action[owner == b][lots[owner == b].argmax()] for b in range(4)])
        state = environment.advance(state, choice).state


def test_a_long_path_may_not_be_closed() -> None:
    for num_nodes in range(2, 12):
        environment = Dags(num_nodes)
        instance = environment.reset(complete_graphs(1, num_nodes, directed=True))
        source, destination = instance.edge_index
        state = instance.with_edges(**{PRESENT: destination == source + 1})
        allowed = environment.observe(state).masks[1]
        assert torch.equal(allowed, destination > source + 1)


def test_edges_may_be_forbidden_and_graphs_may_be_smaller() -> None:
    graph = from_edges(torch.tensor([[0, 1, 2, 3, 4], [1, 2, 0, 4, 3]]), torch.tensor([3, 2]), undirected=False)
    environment = Dags(3)
    state = environment.reset(graph)
    state = environment.advance(state, torch.tensor([1, 1])).state  # 2 → 0 and 4 → 3
    state = environment.advance(state.select(torch.tensor([0])), torch.tensor([2])).state  # 0 → 1
    assert edge_sets(state) == [{(2, 0), (0, 1)}]
    assert not bool(environment.masks(state)[1].any())
