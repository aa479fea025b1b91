"""The exact solver against enumeration and against published clique numbers."""

from __future__ import annotations

import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core import GraphBatch, from_edges
from graphwright.envs.generators import ErdosRenyi, InstanceGenerator, parse_topology
from graphwright.envs.problem import Optimum, Problem
from graphwright.envs.problems.independent_set.environment import INDEPENDENT_SET
from graphwright.envs.problems.public_goods.environment import PUBLIC_GOODS

pytest.importorskip("ortools")
both = pytest.mark.parametrize("problem", [INDEPENDENT_SET, PUBLIC_GOODS], ids=lambda problem: problem.name)


@st.composite
def small_graphs(draw: st.DrawFn) -> GraphBatch:
    """Up to 4 graphs of up to 9 nodes with `weight` and `cost`, uniform, or of 0 and 0.5 and so with ties."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    topology = ErdosRenyi(p=draw(st.sampled_from([0.0, 0.2, 0.5, 1.0])))
    batch = InstanceGenerator(topology, tuple(range(1, 10)))(draw(st.integers(0, 4)), generator)
    ties = torch.randint(2, (batch.num_nodes,), generator=generator) / 2
    number = ties if draw(st.booleans()) else batch.nodes["weight"]
    return batch.with_nodes(weight=number, cost=number)


def solve(problem: Problem, instances: GraphBatch, seconds: float = 10.0) -> Optimum:
    assert problem.solve_exactly is not None
    return problem.solve_exactly(problem.environment, instances, seconds)


def best_of_all(problem: Problem, instances: GraphBatch) -> Tensor:
    """[B] float64: the greatest objective of all maximal independent sets, subset by subset."""
    best = []
    for index in range(instances.num_graphs):
        graph = instances.select(torch.tensor([index]))
        n = graph.num_nodes
        chosen = torch.arange(2**n)[:, None].bitwise_right_shift(torch.arange(n)) % 2 == 1
        source, destination = graph.edge_index
        joined = torch.zeros(n, n)
        joined[source, destination] = 1
        touched = chosen.float() @ joined > 0
        maximal = (chosen ^ touched).all(1)  # each node is chosen or has a chosen neighbour, and never both
        if problem is INDEPENDENT_SET:
            best.append((chosen[maximal] * graph.nodes["weight"].double()).sum(1).max())
        else:
            best.append((1 - chosen[maximal] * graph.nodes["cost"].double()).sum(1).max())
    return torch.tensor(best, dtype=torch.float64)


@both
@given(instances=small_graphs())
@settings(derandomize=True, deadline=None, max_examples=40)
def test_the_set_is_the_best_of_all_subsets(problem: Problem, instances: GraphBatch) -> None:
    instances = problem.environment.instance(instances)
    optimum = solve(problem, instances)
    torch.testing.assert_close(optimum.objective, best_of_all(problem, instances), rtol=1e-9, atol=1e-9)
    assert bool(optimum.proven.all())
    assert bool((optimum.bound >= optimum.objective).all())
    final = optimum.solution
    assert final is not None
    assert bool(problem.environment.is_complete(final).all())
    assert not bool(final.nodes["selected"][final.edge_index].all(0).any())
    torch.testing.assert_close(problem.environment.objective(final), optimum.objective)


@both
@given(instances=small_graphs())
@settings(derandomize=True, deadline=None, max_examples=15)
def test_heuristics_are_valid_and_never_better(problem: Problem, instances: GraphBatch) -> None:
    instances = problem.environment.instance(instances)
    best = solve(problem, instances).objective
    for heuristic in problem.heuristics.values():
        final = heuristic(problem.environment, instances)
        assert bool(problem.environment.is_complete(final).all())
        assert not bool(final.nodes["selected"][final.edge_index].all(0).any())
        assert bool((problem.environment.objective(final) <= best + 1e-9).all())


def complement(topology: str, size: int) -> GraphBatch:
    edges = parse_topology(topology).edges(torch.tensor([size]), torch.Generator().manual_seed(0))
    joined = torch.eye(size, dtype=torch.bool)
    joined[edges[0], edges[1]] = joined[edges[1], edges[0]] = True
    graph = from_edges((~joined).triu(1).nonzero().T, torch.tensor([size]), undirected=True)
    return INDEPENDENT_SET.environment.instance(graph)


@pytest.mark.parametrize(
    ("topology", "size", "clique_number"),
    [
        ("hamming:n=6,d=2", 64, 32),
        ("hamming:n=6,d=4", 64, 4),
        ("johnson:n=8,w=2,d=4", 28, 4),
        ("johnson:n=8,w=4,d=4", 70, 14),
        ("hamming:n=8,d=4", 256, 16),
        ("johnson:n=16,w=2,d=4", 120, 8),
    ],
)
def test_published_clique_numbers(topology: str, size: int, clique_number: int) -> None:
    optimum = solve(INDEPENDENT_SET, complement(topology, size), 60.0)
    assert optimum.objective.tolist() == optimum.bound.tolist() == [clique_number]


@both
def test_without_time_the_bound_is_true_and_the_set_is_that_of_the_heuristic_or_better(problem: Problem) -> None:
    instances = problem.generator("erdos-renyi:p=0.15", (60,))(3, torch.Generator().manual_seed(0))
    hurried, best = solve(problem, instances, 0.0), solve(problem, instances, 60.0)
    greedy = problem.heuristics["greedy"](problem.environment, instances)
    assert bool(best.proven.all())
    assert bool((hurried.objective >= problem.environment.objective(greedy) - 1e-9).all())
    assert bool((hurried.bound >= best.objective - 1e-9).all())


@both
def test_graphs_without_nodes_or_edges(problem: Problem) -> None:
    no_edges = torch.zeros(2, 0, dtype=torch.int64)
    instances = problem.environment.instance(from_edges(no_edges, torch.tensor([0, 1, 3]), undirected=True))
    optimum = solve(problem, instances)
    assert optimum.solution is not None
    assert bool(optimum.solution.nodes["selected"].all())
    assert optimum.objective.tolist() == ([0, 1, 3] if problem is INDEPENDENT_SET else [0, 0.5, 1.5])
    assert bool(optimum.proven.all())


def test_a_missing_solver_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ortools.sat.python", None)
    with pytest.raises(ImportError, match=r"pip install 'graphwright\[solvers\]'"):
        solve(INDEPENDENT_SET, complement("johnson:n=8,w=2,d=4", 28))
