from __future__ import annotations

import sys
from pathlib import Path

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core import GraphBatch, from_edges
from graphwright.core.segment import segment_sum
from graphwright.envs.generators import BarabasiAlbert, ErdosRenyi, InstanceGenerator, WattsStrogatz, unit_weights
from graphwright.envs.problem import Optimum
from graphwright.envs.problems.vertex_cover.exact import exact_cover
from graphwright.envs.problems.vertex_cover.two_approximation import remove_redundant, two_approximation
from strategies import NO_LIMIT

pytest.importorskip("ortools")

TOPOLOGY_ZOO = Path(__file__).parents[3] / "instances" / "topology-zoo"
fixed = settings(derandomize=True, deadline=None, max_examples=60)


@st.composite
def small_graphs(draw: st.DrawFn) -> GraphBatch:
    """Up to 5 graphs of up to 10 nodes; weights uniform, or of 0, 1, 2 and so with ties."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    topology = ErdosRenyi(p=draw(st.sampled_from([0.0, 0.2, 0.5, 1.0])))
    batch = InstanceGenerator(topology, tuple(range(1, 11)))(draw(st.integers(0, 5)), generator)
    ties = torch.randint(3, (batch.num_nodes,), generator=generator).float()
    return batch.with_nodes(weight=ties) if draw(st.booleans()) else batch


def least_cost(instances: GraphBatch) -> Tensor:
    """[B] float64: the weight of the lightest cover among all subsets of each graph's nodes."""
    least = []
    for index in range(instances.num_graphs):
        graph = instances.select(torch.tensor([index]))
        subsets = torch.arange(2**graph.num_nodes)[:, None].bitwise_right_shift(torch.arange(graph.num_nodes)) % 2 == 1
        covers = subsets[subsets[:, graph.edge_index].any(1).all(1)]
        least.append((covers * graph.nodes["weight"].double()).sum(1).min())
    return torch.tensor(least, dtype=torch.float64)


def from_networkx(graph: nx.Graph, weight: list[float] | None = None) -> GraphBatch:
    """One graph, undirected and simple, of weights 1 if none are given."""
    simple = nx.convert_node_labels_to_integers(nx.Graph(graph.to_undirected()))
    simple.remove_edges_from(list(nx.selfloop_edges(simple)))
    edge_index = torch.tensor(list(simple.edges)).T.reshape(2, -1)
    nodes = {"weight": torch.tensor(weight or [1.0] * len(simple))}
    return from_edges(edge_index, torch.tensor([len(simple)]), undirected=True, nodes=nodes)


def selected(solution: Optimum) -> Tensor:
    """[N] bool: the cover that was found."""
    assert solution.solution is not None
    return solution.solution.nodes["selected"]


def assert_consistent(instances: GraphBatch, solution: Optimum) -> None:
    """The cover is one, needs each of its nodes, costs what is said, and the proof is no better than its bound."""
    assert bool(selected(solution)[instances.edge_index].any(0).all())
    assert torch.equal(remove_redundant(instances, selected(solution)), selected(solution))
    cost = segment_sum(instances.nodes["weight"].double() * selected(solution), instances.node_segments)
    torch.testing.assert_close(solution.objective, cost, rtol=1e-12, atol=0)
    assert bool((solution.bound <= solution.objective).all())
    assert torch.equal(solution.proven, solution.objective - solution.bound <= 1e-6 * solution.objective)


# ---- the optimum -----------------------------------------------------------------------------------------------------


@given(small_graphs())
@fixed
def test_the_cover_is_the_lightest_of_all_subsets(instances: GraphBatch) -> None:
    solution = exact_cover(instances, time_limit=NO_LIMIT)
    assert_consistent(instances, solution)
    assert bool(solution.proven.all())
    least = least_cost(instances)
    torch.testing.assert_close(solution.objective, least, rtol=1e-12, atol=0)
    assert bool((solution.bound <= least * (1 + 1e-12)).all())


@given(small_graphs())
@settings(fixed, max_examples=20)
def test_a_batch_is_solved_as_its_graphs_one_by_one(instances: GraphBatch) -> None:
    together = exact_cover(instances, time_limit=NO_LIMIT)
    begin = instances.node_ptr.tolist()
    for graph in range(instances.num_graphs):
        alone = exact_cover(instances.select(torch.tensor([graph])), time_limit=NO_LIMIT)
        assert torch.equal(selected(alone), selected(together)[begin[graph] : begin[graph + 1]])
        assert torch.equal(alone.objective, together.objective[[graph]])
        assert torch.equal(alone.bound, together.bound[[graph]])


def test_a_bipartite_cover_is_a_minimum_cut() -> None:
    # König's theorem with weights: cut the source's arcs to the left nodes or the right nodes' arcs to the sink.
    graph = nx.bipartite.random_graph(40, 60, 0.08, seed=0)
    weight = torch.rand(100, generator=torch.Generator().manual_seed(0)).tolist()
    flow = nx.DiGraph(list(graph.edges))
    flow.add_edges_from([("source", node, {"capacity": weight[node]}) for node in range(40)])
    flow.add_edges_from([(node, "sink", {"capacity": weight[node]}) for node in range(40, 100)])
    solution = exact_cover(from_networkx(graph, weight), time_limit=NO_LIMIT)
    assert bool(solution.proven)
    assert float(solution.objective) == pytest.approx(nx.minimum_cut_value(flow, "source", "sink"), rel=1e-12)


@pytest.mark.parametrize(
    ("network", "nodes", "least"),
    [("Abilene", 11, 6), ("Cogentco", 197, 96), ("Interoute", 110, 53), ("DialtelecomCz", 193, 63)],
)
def test_real_networks_have_the_known_optimum(network: str, nodes: int, least: int) -> None:
    instances = from_networkx(nx.read_graphml(TOPOLOGY_ZOO / f"{network}.graphml"))
    solution = exact_cover(instances, time_limit=NO_LIMIT)
    assert instances.num_nodes == nodes
    assert_consistent(instances, solution)
    assert float(solution.objective) == float(solution.bound) == least


def test_small_worlds_of_a_thousand_nodes_are_solved_to_proof() -> None:
    instances = InstanceGenerator(WattsStrogatz(k=4, p=0.3), (1000,))(2, torch.Generator().manual_seed(0))
    solution = exact_cover(instances, time_limit=NO_LIMIT)
    assert_consistent(instances, solution)
    assert bool(solution.proven.all())


# ---- limits ----------------------------------------------------------------------------------------------------------


def test_hard_graphs_end_in_time_with_true_bounds() -> None:
    instances = InstanceGenerator(BarabasiAlbert(m=4), (400,), unit_weights)(3, torch.Generator().manual_seed(0))
    solution = exact_cover(instances, time_limit=NO_LIMIT)
    assert bool(solution.proven.all())
    for time_limit in (0.0, 0.1):
        hurried = exact_cover(instances, time_limit=time_limit)
        assert_consistent(instances, hurried)
        assert not bool(hurried.proven.all())
        assert bool((hurried.bound <= solution.objective).all())
        assert bool((hurried.objective >= solution.objective).all())
        assert bool((hurried.objective <= segment_sum(two_approximation(instances), instances.node_segments)).all())


def test_graphs_without_edges_have_the_empty_cover() -> None:
    no_edges = torch.zeros(2, 0, dtype=torch.int64)
    for sizes in ([], [1], [3, 0, 2]):
        weight = torch.arange(sum(sizes)).float()
        instances = from_edges(no_edges, torch.tensor(sizes).long(), undirected=True, nodes={"weight": weight})
        for time_limit in (0.0, 10.0):
            solution = exact_cover(instances, time_limit=time_limit)
            assert solution.objective.tolist() == solution.bound.tolist() == [0] * len(sizes)
            assert solution.proven.tolist() == [True] * len(sizes)
            assert selected(solution).tolist() == [False] * sum(sizes)


@pytest.mark.parametrize(
    ("weight", "proven"), [([3e38, 3e38, 3e38], True), ([1e-45, 1e-45, 1e-45], True), ([1e30, 1e-30, 1e-30], False)]
)
def test_extreme_weights_are_rounded_only_downwards(weight: list[float], proven: bool) -> None:
    instances = from_networkx(nx.complete_graph(3), weight)
    solution = exact_cover(instances, time_limit=NO_LIMIT)
    assert_consistent(instances, solution)
    torch.testing.assert_close(solution.objective, least_cost(instances), rtol=1e-12, atol=0)
    assert solution.proven.tolist() == [proven]


def test_a_missing_solver_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ortools.sat.python", None)
    with pytest.raises(ImportError, match=r"pip install 'graphwright\[solvers\]'") as error:
        exact_cover(from_networkx(nx.path_graph(2)), time_limit=NO_LIMIT)
    assert "\n" not in str(error.value)
