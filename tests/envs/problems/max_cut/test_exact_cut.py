"""Maximum cuts: the solver against all cuts, its bounds, and the local searches below it."""

from __future__ import annotations

import sys

import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core import GraphBatch, from_edges
from graphwright.core.segment import segment_sum
from graphwright.envs.problems.max_cut.environment import MaxCut
from graphwright.envs.problems.max_cut.exact import exact_cut
from graphwright.envs.problems.max_cut.problem import MAX_CUT, final_state
from graphwright.envs.problems.max_cut.tabu import flips_at_once, steepest_ascent, tabu_from, tabu_search
from strategies import NO_LIMIT, alone, assert_same, seeded, seeds

pytest.importorskip("ortools")


@st.composite
def small_instances(draw: st.DrawFn) -> GraphBatch:
    """Up to 4 graphs of up to 10 nodes, dense ones among them, of all laws of weights."""
    law, p = draw(st.sampled_from(list(MAX_CUT.laws))), draw(st.sampled_from([0.0, 0.3, 0.6, 1.0]))
    generator = MAX_CUT.generator(f"erdos-renyi:p={p}", tuple(range(1, 11)), law)
    return generator(draw(st.integers(0, 4)), seeded(draw(seeds)))


def largest_cuts(instances: GraphBatch) -> Tensor:
    """[B] float64, by trying all sides."""
    largest = []
    for index in range(instances.num_graphs):
        graph = alone(instances, index)
        sides = torch.arange(2**graph.num_nodes)[:, None].bitwise_right_shift(torch.arange(graph.num_nodes)) % 2 == 1
        apart = sides[:, graph.edge_index[0]] != sides[:, graph.edge_index[1]]
        largest.append((apart * graph.edges["weight"].double()).sum(1).max() / 2)
    return torch.stack(largest) if largest else torch.zeros(0, dtype=torch.float64)


def from_networkx(graph: nx.Graph) -> GraphBatch:
    edges = torch.tensor(list(nx.convert_node_labels_to_integers(graph).edges)).T
    return MaxCut().instance(from_edges(edges, torch.tensor([len(graph)]), undirected=True))


@given(small_instances())
def test_the_cut_is_the_largest_of_all(instances: GraphBatch) -> None:
    optimum = exact_cut(instances, time_limit=NO_LIMIT)
    largest = largest_cuts(instances)
    assert bool(optimum.proven.all())
    torch.testing.assert_close(optimum.objective, largest, rtol=1e-6, atol=1e-9)
    assert bool((optimum.bound >= largest - 1e-6).all())
    assert optimum.solution is not None
    torch.testing.assert_close(MaxCut().objective(optimum.solution), optimum.objective)


@pytest.mark.parametrize(
    ("graph", "value"),
    [
        (nx.petersen_graph(), 12),
        (nx.complete_graph(11), 30),
        (nx.cycle_graph(51), 50),
        (nx.grid_2d_graph(8, 9), 127),
        (nx.dodecahedral_graph(), 24),
    ],
)
def test_known_graphs_have_their_known_cuts(graph: nx.Graph, value: int) -> None:
    optimum = exact_cut(from_networkx(graph), time_limit=NO_LIMIT)
    assert optimum.objective.item() == optimum.bound.item() == value
    assert optimum.proven.item()


def test_branch_and_cut_improves_on_where_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    instances = MAX_CUT.generator("watts-strogatz:k=4,p=0.3", (30,))(3, seeded())
    expected = exact_cut(instances, time_limit=NO_LIMIT)
    nothing = torch.zeros(instances.num_nodes, dtype=torch.bool)
    monkeypatch.setattr("graphwright.envs.problems.max_cut.exact.tabu_search", lambda *_, **__: nothing)
    alone_it_finds = exact_cut(instances, time_limit=NO_LIMIT)
    assert bool(alone_it_finds.proven.all())
    torch.testing.assert_close(alone_it_finds.objective, expected.objective, rtol=1e-6, atol=0)


def test_without_time_the_bound_is_still_one() -> None:
    instances = MAX_CUT.generator("erdos-renyi:p=0.5", (60,), "signed")(2, seeded())
    for time_limit in (0.0, 0.05):
        optimum = exact_cut(instances, time_limit=time_limit)
        assert not bool(optimum.proven.any())
        assert bool((optimum.bound > optimum.objective).all())
        rows, links = instances.links
        positive = segment_sum(instances.edges["weight"][rows].double().clamp(min=0), links)
        assert bool((optimum.bound <= positive).all())


def test_graphs_without_edges_or_gains_have_the_empty_cut() -> None:
    edges = {"weight": torch.tensor([-1.0, 0.0])}
    graph = from_edges(torch.tensor([[0, 2], [1, 3]]), torch.tensor([2, 2, 3, 0]), undirected=True, edges=edges)
    optimum = exact_cut(MaxCut().instance(graph), time_limit=NO_LIMIT)
    assert optimum.objective.tolist() == optimum.bound.tolist() == [0, 0, 0, 0]
    assert bool(optimum.proven.all())


def test_a_missing_solver_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ortools.linear_solver", None)
    with pytest.raises(ImportError, match=r"pip install 'graphwright\[solvers\]'"):
        exact_cut(from_networkx(nx.path_graph(2)), time_limit=NO_LIMIT)


# ---- local search ----------------------------------------------------------------------------------------------------


@given(small_instances())
def test_local_searches_are_no_better_than_the_optimum_and_end_on_peaks(instances: GraphBatch) -> None:
    largest = largest_cuts(instances)
    ascent = final_state(MaxCut(), instances, steepest_ascent(instances))
    for state in (ascent, final_state(MaxCut(), instances, tabu_search(instances, restarts=2))):
        assert bool((MaxCut().objective(state) <= largest + 1e-6).all())
    assert bool((MaxCut().observe(ascent).graph.nodes["gain"] <= 1e-5).all())


def test_a_graph_is_searched_in_a_batch_as_it_is_alone() -> None:
    instances = MAX_CUT.generator(sizes=(9, 20))(4, seeded())
    for search in (tabu_search, steepest_ascent):
        parts = torch.cat([search(alone(instances, index)) for index in range(4)])
        assert_same(search(instances), parts)


@pytest.mark.parametrize("work", [4e8, 30.0])
def test_tabu_from_a_cut_comes_to_the_largest_however_often_it_looks_at_the_clock(
    work: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphwright.envs.problems.max_cut.tabu._WORK", work)
    instances = MAX_CUT.generator("erdos-renyi:p=0.6", (9, 10), "signed")(4, seeded())
    found = tabu_from(instances, torch.zeros(instances.num_nodes, dtype=torch.bool), 0.05)
    torch.testing.assert_close(MaxCut().objective(final_state(MaxCut(), instances, found)), largest_cuts(instances))


def test_a_large_graph_does_not_keep_tabu_search_from_the_clock() -> None:
    """Each flip looks at all nodes, and 20 n flips of 100,000 nodes took minutes."""
    assert [flips_at_once(count) for count in (0, 10, 1_000, 100_000, 10**9)] == [20, 200, 20_000, 4_000, 1]
