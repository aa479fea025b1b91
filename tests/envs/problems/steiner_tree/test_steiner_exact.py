"""Shortest Steiner trees against enumeration, with true bounds; the heuristics against them."""

from __future__ import annotations

import sys
from itertools import chain, combinations

import networkx as nx
import pytest
import torch

from graphwright.core import GraphBatch, from_edges
from graphwright.envs.problems.steiner_tree.environment import STEINER_TREE, SteinerTree
from graphwright.envs.problems.steiner_tree.exact import exact_tree
from strategies import NO_LIMIT, alone, seeded

pytest.importorskip("ortools")

TOPOLOGIES = [("gabriel", "euclidean"), ("erdos-renyi:p=0.5", "uniform"), ("watts-strogatz", "one")]


def network(graph: GraphBatch) -> nx.Graph:
    """The one graph of a batch."""
    rows, _ = graph.links
    result = nx.empty_graph(graph.num_nodes)
    length = graph.edges["length"].double()[rows].tolist()
    result.add_weighted_edges_from(
        (one, other, value) for (one, other), value in zip(graph.edge_index[:, rows].T.tolist(), length, strict=True)
    )
    return result


def shortest_tree(graph: GraphBatch) -> float:
    """The least length, by all sets of further nodes: the shortest tree is a spanning tree of its own nodes."""
    terminals = graph.nodes["terminal"].nonzero().squeeze(1).tolist()
    others = [node for node in range(graph.num_nodes) if node not in terminals]
    whole, best = network(graph), float("inf")
    for chosen in chain.from_iterable(combinations(others, count) for count in range(len(others) + 1)):
        part = whole.subgraph([*terminals, *chosen])
        if nx.is_connected(part):
            best = min(best, nx.minimum_spanning_tree(part).size(weight="weight"))
    return best


def assert_tree(state: GraphBatch, objective: float) -> None:
    """What one state holds is a tree of that length that joins the terminals and has no other leaf."""
    nodes, links = SteinerTree().solution(state)
    whole = network(state)
    tree = nx.Graph(links.T.tolist())
    tree.add_nodes_from(nodes.tolist())
    terminals = set(state.nodes["terminal"].nonzero().squeeze(1).tolist())
    assert nx.is_tree(tree)
    assert terminals <= set(tree)
    assert {node for node, degree in tree.degree if degree < 2} <= terminals
    assert sum(whole.edges[link]["weight"] for link in tree.edges) == pytest.approx(objective)


@pytest.mark.parametrize(("topology", "weights"), TOPOLOGIES)
def test_the_tree_is_the_shortest_of_all(topology: str, weights: str) -> None:
    instances = STEINER_TREE.generator(topology, (5, 7, 9), weights)(20, seeded(1))
    optimum = exact_tree(instances, time_limit=NO_LIMIT)
    assert optimum.proven.all()
    assert optimum.solution is not None
    assert SteinerTree().is_complete(optimum.solution).all()
    torch.testing.assert_close(SteinerTree().objective(optimum.solution), optimum.objective)
    for graph, objective in enumerate(optimum.objective.tolist()):
        assert objective == pytest.approx(shortest_tree(alone(instances, graph)))
        assert_tree(alone(optimum.solution, graph), objective)


@pytest.mark.parametrize("name", STEINER_TREE.heuristics)
@pytest.mark.parametrize(("topology", "weights"), TOPOLOGIES)
def test_heuristics_are_trees_and_never_shorter_than_the_optimum(name: str, topology: str, weights: str) -> None:
    environment = STEINER_TREE.environment
    instances = STEINER_TREE.generator(topology, (10, 20, 40), weights)(20, seeded(2))
    final = STEINER_TREE.heuristics[name](environment, instances)
    objective, least = environment.objective(final), exact_tree(instances, time_limit=NO_LIMIT).objective
    assert environment.is_complete(final).all()
    assert (objective >= least * (1 - 1e-9)).all()
    if name != "insertion":  # the others are proven to be at most twice as long
        assert (objective <= 2 * least).all()
    for graph in range(instances.num_graphs):
        assert_tree(alone(final, graph), float(objective[graph]))


def test_a_relaxation_that_is_not_integral_is_solved_in_integers() -> None:
    # A known gap of the relaxation: three terminals, each joined to two of three nodes, and these to the root.
    ends = [(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (2, 5), (3, 5), (1, 6), (3, 6)]
    terminal = torch.tensor([True, False, False, False, True, True, True])
    graph = from_edges(torch.tensor(ends).T, torch.tensor([7]), undirected=True, nodes={"terminal": terminal})
    instance = SteinerTree().instance(graph.with_edges(length=torch.ones(graph.num_edges)))
    optimum = exact_tree(instance, time_limit=NO_LIMIT)
    assert optimum.objective.tolist() == optimum.bound.tolist() == [5]
    assert shortest_tree(instance) == 5

    hard = STEINER_TREE.generator("watts-strogatz", (50,), "one")(30, seeded(1))
    assert exact_tree(hard, time_limit=NO_LIMIT).proven.all()


def test_without_time_there_is_still_a_tree_and_a_bound() -> None:
    instances = STEINER_TREE.generator("gabriel", (40,))(5, seeded())
    hurried, optimum = (exact_tree(instances, time_limit=limit) for limit in (0, NO_LIMIT))
    assert not hurried.proven.any()
    assert hurried.solution is not None
    assert SteinerTree().is_complete(hurried.solution).all()
    assert (hurried.bound <= optimum.objective).all()
    assert (hurried.objective >= optimum.objective - 1e-9).all()


def test_edges_of_length_zero_make_no_cycles() -> None:
    instances = STEINER_TREE.generator("erdos-renyi:p=0.6", (8,), "one")(10, seeded())
    kept = torch.rand(instances.links[0].numel(), generator=seeded()) < 0.5
    length = torch.zeros(instances.num_edges)
    rows = instances.links[0]
    length[rows] = kept.float()
    length = torch.maximum(length, length[instances.edges["reverse"] + instances.edge_ptr[:-1][instances.edge_graph]])
    instances = SteinerTree().instance(instances.keep(nodes=["terminal"]).with_edges(length=length))
    optimum = exact_tree(instances, time_limit=NO_LIMIT)
    assert optimum.proven.all()
    assert optimum.solution is not None
    for graph, objective in enumerate(optimum.objective.tolist()):
        assert objective == pytest.approx(shortest_tree(alone(instances, graph)))
        assert_tree(alone(optimum.solution, graph), objective)


def test_a_missing_solver_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ortools.linear_solver", None)
    with pytest.raises(ImportError, match=r"pip install 'graphwright\[solvers\]'"):
        exact_tree(STEINER_TREE.generator(sizes=(5,))(1, seeded()), time_limit=NO_LIMIT)
