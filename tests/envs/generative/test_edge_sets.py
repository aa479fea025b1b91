"""Sets of edges between named nodes, all of them, directed and not."""

from __future__ import annotations

import itertools

import pytest
import torch

from flow_walk import walk
from graphwright.core import GraphBatch
from graphwright.envs.generative.edge_sets import PRESENT, EdgeSets, complete_graphs, opposite_rows

kinds = pytest.mark.parametrize("directed", [False, True], ids=["undirected", "directed"])


def edges(states: GraphBatch) -> list[frozenset[tuple[int, int]]]:
    """The edges that are present in each graph."""
    found: list[set[tuple[int, int]]] = [set() for _ in range(states.num_graphs)]
    start = states.node_ptr[:-1][states.edge_graph]
    rows = zip(states.edge_graph.tolist(), *(states.edge_index - start).tolist(), states.edges[PRESENT], strict=True)
    for graph, u, v, present in rows:
        if present:
            found[graph].add((u, v))
    return [frozenset(some) for some in found]


@kinds
@pytest.mark.parametrize("nodes", [1, 2, 3])
def test_every_set_is_reached_in_every_order(directed: bool, nodes: int) -> None:
    states, ways = walk(EdgeSets(nodes), complete_graphs(1, nodes, directed=directed), edges)
    pairs = list(itertools.permutations(range(nodes), 2))
    sets = {frozenset(c) for size in range(len(pairs) + 1) for c in itertools.combinations(pairs, size)}
    if not directed:
        sets = {some for some in sets if all((v, u) in some for u, v in some)}
    assert set(ways) == sets
    assert states.num_graphs == 2 ** (len(pairs) if directed else len(pairs) // 2)


@kinds
def test_the_opposite_of_an_edge_leads_back(directed: bool) -> None:
    graph = complete_graphs(3, 4, directed=directed)
    graph.validate()
    assert torch.equal(graph.edge_index[:, opposite_rows(graph)], graph.edge_index.flip(0))
    assert ("reverse" in graph.edges) is not directed


def test_what_is_seen_of_directed_edges() -> None:
    environment = EdgeSets(3)
    state = environment.reset(complete_graphs(1, 3, directed=True))
    joined = {tuple(pair): row for row, pair in enumerate(state.edge_index.T.tolist())}
    state, _ = environment.advance(state, torch.tensor([1 + joined[0, 1]]))
    state, reverse = environment.advance(state, torch.tensor([1 + joined[2, 1]]))
    assert edges(state) == [frozenset({(0, 1), (2, 1)})]
    assert reverse.tolist() == [joined[2, 1]]
    seen = environment.observe(state).graph
    assert seen.nodes["name"].tolist() == torch.eye(3).tolist()
    assert seen.nodes["degree"].tolist() == [0, 2, 0]
    assert seen.edges[PRESENT][joined[0, 1]].tolist() == [True, False]
    assert seen.edges[PRESENT][joined[1, 0]].tolist() == [False, True]


def test_both_directions_of_an_undirected_edge_come_and_go_together() -> None:
    environment = EdgeSets(4)
    state = environment.reset(complete_graphs(2, 4, directed=False))
    for action in ([1, 6], [2, 5], [6, 1]):
        state, _ = environment.advance(state, torch.tensor(action))
        assert torch.equal(state.edges[PRESENT], state.edges[PRESENT][opposite_rows(state)])
        assert [len(some) for some in edges(state)] == [int(state.edges[PRESENT].sum()) // 2] * 2
