"""The laws of the random topologies, exactly where the law can be enumerated and against networkx where it cannot.

Every test has a fixed seed, and a statistic passes within four standard deviations of what the law expects: a correct
generator misses that for one seed in 15,000.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.generators import (
    TOPOLOGIES,
    BarabasiAlbert,
    ErdosRenyi,
    InstanceGenerator,
    RandomGeometric,
    RandomRegular,
    Topology,
    WattsStrogatz,
    parse_topology,
)

Edges = frozenset[tuple[int, int]]

topologies = st.one_of(
    st.builds(WattsStrogatz, k=st.sampled_from([2, 4, 6, 10]), p=st.sampled_from([0.0, 0.3, 1.0])),
    st.builds(ErdosRenyi, p=st.sampled_from([0.0, 0.01, 0.3, 1.0])),
    st.builds(BarabasiAlbert, m=st.integers(1, 5)),
    st.builds(RandomRegular, d=st.integers(1, 8)),
    st.builds(RandomGeometric, radius=st.sampled_from([0.01, 0.3, 2.0])),
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(topology: Topology, sizes: int | tuple[int, ...], num_graphs: int, seed: int = 0) -> GraphBatch:
    sizes = (sizes,) if isinstance(sizes, int) else sizes
    return InstanceGenerator(topology, sizes)(num_graphs, seeded(seed))


def edge_sets(batch: GraphBatch) -> list[Edges]:
    """The edges low < high of each graph, nodes counted from its own first."""
    local = batch.edge_index - batch.node_ptr[batch.edge_graph]
    pairs = [tuple(pair) for pair in local.T.tolist()]
    bounds = itertools.pairwise(batch.edge_ptr.tolist())
    return [frozenset(pair for pair in pairs[begin:end] if pair[0] < pair[1]) for begin, end in bounds]


def degrees(batch: GraphBatch) -> Tensor:
    """[B, n] where all graphs have n nodes."""
    return batch.in_degree.view(batch.num_graphs, -1)


def num_links(batch: GraphBatch) -> Tensor:
    return batch.links[1].lengths


def assert_law(observed: Mapping[Any, int], law: Mapping[Any, float]) -> None:
    """Pearson's chi-square test; cells where fewer than 5 are expected are pooled, as the approximation needs."""
    assert set(observed) <= set(law), "an outcome of probability 0 was drawn"
    assert math.isclose(sum(law.values()), 1, abs_tol=1e-9)
    total = sum(observed.values())
    cells = [(observed.get(outcome, 0), total * probability) for outcome, probability in law.items()]
    large = [cell for cell in cells if cell[1] >= 5]
    rest = [cell for cell in cells if cell[1] < 5]
    if sum(expected for _, expected in rest) >= 5:
        large.append((sum(count for count, _ in rest), sum(expected for _, expected in rest)))
    chi_square = sum((count - expected) ** 2 / expected for count, expected in large)
    freedom = len(large) - 1
    spread = 2 / (9 * freedom)  # Wilson & Hilferty 1931: the cube root of chi-square / freedom is nearly normal
    assert chi_square < freedom * (1 - spread + 4 * math.sqrt(spread)) ** 3


def assert_same_mean(ours: Tensor, theirs: Tensor) -> None:
    """Welch's test of two samples."""
    error = (ours.var() / ours.numel() + theirs.var() / theirs.numel()).sqrt()
    assert abs(ours.mean() - theirs.mean()) < 4 * error


# ---- every topology --------------------------------------------------------------------------------------------------


@given(topologies, st.lists(st.integers(1, 24), min_size=1, max_size=4), st.integers(0, 9), st.integers(0, 2**31))
@settings(max_examples=150, deadline=None)
def test_every_topology_gives_simple_undirected_graphs_and_the_same_ones_from_the_same_seed(
    topology: Topology, sizes: list[int], num_graphs: int, seed: int
) -> None:
    possible = tuple(size for size in sizes if _has_size(topology, size)) or (24,)
    generator = InstanceGenerator(topology, possible)
    global_state = torch.random.get_rng_state()
    batch, again = generator(num_graphs, seeded(seed)), generator(num_graphs, seeded(seed))
    assert torch.equal(torch.random.get_rng_state(), global_state)
    batch.validate()
    assert batch.num_graphs == num_graphs
    assert set(batch.node_segments.lengths.tolist()) <= set(possible)
    assert "reverse" in batch.edges
    assert bool((batch.edge_index[0] != batch.edge_index[1]).all())
    assert len({*map(tuple, batch.edge_index.T.tolist())}) == batch.num_edges
    assert batch.nodes["weight"].dtype == torch.float32
    assert bool(((batch.nodes["weight"] >= 0) & (batch.nodes["weight"] < 1)).all())
    assert torch.equal(batch.edge_index, again.edge_index)
    assert all(torch.equal(column, again.nodes[name]) for name, column in batch.nodes.items())


def _has_size(topology: Topology, size: int) -> bool:
    try:
        topology.check_sizes(torch.tensor([size]))
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_each_edge_comes_once_from_the_topology_itself(name: str) -> None:
    edges = parse_topology(name).edges(torch.tensor([12, 6, 30]), seeded())
    keys = edges.amin(0) * 48 + edges.amax(0)
    assert edges.dtype == torch.int64
    assert keys.unique().numel() == keys.numel()


@pytest.mark.parametrize("topology", [WattsStrogatz(), ErdosRenyi(1.0), RandomGeometric(2.0)])
def test_graphs_of_one_and_two_nodes(topology: Topology) -> None:
    batch = draw(topology, (1, 2), 50)
    assert torch.equal(num_links(batch), batch.node_segments.lengths - 1)


def test_sizes_are_uniform_over_the_list_and_weights_over_the_unit_interval() -> None:
    batch = draw(ErdosRenyi(), (5, 10, 15), 6000)
    assert_law(Counter(batch.node_segments.lengths.tolist()), {5: 1 / 3, 10: 1 / 3, 15: 1 / 3})
    assert_law(Counter((batch.nodes["weight"] * 20).long().tolist()), dict.fromkeys(range(20), 1 / 20))
    ones = InstanceGenerator(ErdosRenyi(), (5,), weights="one")(3, seeded())
    assert torch.equal(ones.nodes["weight"], torch.ones(15))


def test_another_seed_or_a_second_call_gives_other_graphs() -> None:
    generator, random = InstanceGenerator(WattsStrogatz(), (20,)), seeded(0)
    batches = [generator(4, random), generator(4, random), generator(4, seeded(1))]
    assert not any(torch.equal(a.edge_index, b.edge_index) for a, b in itertools.combinations(batches, 2))


# ---- Watts-Strogatz --------------------------------------------------------------------------------------------------


def watts_strogatz_law(n: int, k: int, p: float) -> dict[Edges, float]:
    """The sequential process of networkx, all its branches followed."""
    law: dict[Edges, float] = {frozenset(_pair(u, (u + j) % n) for j in range(1, k // 2 + 1) for u in range(n)): 1.0}
    for j, u in itertools.product(range(1, k // 2 + 1), range(n)):
        after: defaultdict[Edges, float] = defaultdict(float)
        for edges, probability in law.items():
            free = [w for w in range(n) if w != u and _pair(u, w) not in edges]
            after[edges] += probability * (1 - p if free else 1)
            for w in free:
                after[edges - {_pair(u, (u + j) % n)} | {_pair(u, w)}] += probability * p / len(free)
        law = dict(after)
    return law


def _pair(u: int, v: int) -> tuple[int, int]:
    return (u, v) if u < v else (v, u)


@pytest.mark.parametrize(("n", "k", "p"), [(5, 2, 0.5), (6, 4, 0.3), (6, 4, 1.0)])
def test_watts_strogatz_has_the_law_of_the_sequential_process(n: int, k: int, p: float) -> None:
    # With n = 6 and k = 4 only 3 of 15 pairs are free, so that many edges meet and some have nowhere to go.
    assert_law(Counter(edge_sets(draw(WattsStrogatz(k, p), n, 10_000))), watts_strogatz_law(n, k, p))


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_watts_strogatz_has_exactly_nk_half_edges_and_is_complete_when_small(p: float) -> None:
    batch = draw(WattsStrogatz(k=6, p=p), (1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 51), 400)
    n = batch.node_segments.lengths
    assert torch.equal(num_links(batch), torch.where(n > 6, n * 3, n * (n - 1) // 2))


def test_watts_strogatz_without_rewiring_is_the_ring() -> None:
    for n in (7, 8, 20):
        (edges,) = edge_sets(draw(WattsStrogatz(k=6, p=0), n, 1))
        assert edges == {_pair(*edge) for edge in nx.watts_strogatz_graph(n, 6, 0).edges}


def test_watts_strogatz_rewires_the_fraction_p() -> None:
    batch = draw(WattsStrogatz(k=4, p=0.3), 1000, 20)
    gap = (batch.edge_index[0] - batch.edge_index[1]).abs()
    moved = (torch.minimum(gap, 1000 - gap) > 2).double().mean()
    spread = 4 * math.sqrt(0.3 * 0.7 / (batch.num_edges / 2))
    assert (
        0.3 * (1 - 4 / 999) - spread < moved < 0.3 + spread
    )  # a rewired edge lands in the ring at most 4 times in 999


def test_watts_strogatz_clusters_as_networkx() -> None:
    ours = [nx.Graph(edges) for edges in map(list, edge_sets(draw(WattsStrogatz(k=6, p=0.2), 30, 300)))]
    theirs = [nx.watts_strogatz_graph(30, 6, 0.2, seed=seed) for seed in range(300)]
    clustering = [torch.tensor([nx.transitivity(graph) for graph in graphs]) for graphs in (ours, theirs)]
    assert_same_mean(*clustering)


# ---- Erdős-Rényi -----------------------------------------------------------------------------------------------------


def test_erdos_renyi_has_binomial_degrees() -> None:
    batch = draw(ErdosRenyi(p=0.3), 9, 4000)
    law = {degree: math.comb(8, degree) * 0.3**degree * 0.7 ** (8 - degree) for degree in range(9)}
    for node in (0, 4, 8):  # the degrees of one node are independent from graph to graph
        assert_law(Counter(degrees(batch)[:, node].tolist()), law)


def test_erdos_renyi_draws_every_graph_of_four_nodes_with_its_probability() -> None:
    pairs = list(itertools.combinations(range(4), 2))
    graphs = itertools.chain.from_iterable(itertools.combinations(pairs, count) for count in range(7))
    law = {frozenset(graph): 0.4 ** len(graph) * 0.6 ** (6 - len(graph)) for graph in graphs}
    assert_law(Counter(edge_sets(draw(ErdosRenyi(p=0.4), 4, 10_000))), law)


def test_erdos_renyi_at_the_ends_of_p() -> None:
    assert draw(ErdosRenyi(p=0), (1, 5, 9), 20).num_edges == 0
    full = draw(ErdosRenyi(p=1), (1, 5, 200), 20)
    n = full.node_segments.lengths
    assert torch.equal(num_links(full), n * (n - 1) // 2)


def test_erdos_renyi_of_a_very_sparse_large_graph() -> None:
    batch = draw(ErdosRenyi(p=1e-6), 100_000, 1)  # 5e9 pairs: only skipping gets here
    expected = 1e-6 * 100_000 * 99_999 / 2
    assert abs(batch.num_edges / 2 - expected) < 4 * math.sqrt(expected)


# ---- Barabási-Albert -------------------------------------------------------------------------------------------------


def barabasi_albert_law(n: int, m: int) -> dict[Edges, float]:
    """The growth process with all its branches: m targets one after the other, in proportion to degree."""
    law: dict[Edges, float] = {frozenset((0, leaf) for leaf in range(1, m + 1)): 1.0}
    for node in range(m + 1, n):
        after: defaultdict[Edges, float] = defaultdict(float)
        for edges, probability in law.items():
            degree = Counter(itertools.chain.from_iterable(edges))
            for targets in itertools.permutations(range(node), m):
                chance, left = probability, sum(degree.values())
                for target in targets:
                    chance *= degree[target] / left
                    left -= degree[target]
                after[edges | {(target, node) for target in targets}] += chance
        law = dict(after)
    return law


@pytest.mark.parametrize(("n", "m"), [(5, 1), (5, 2), (5, 3)])
def test_barabasi_albert_has_the_law_of_the_growth_process(n: int, m: int) -> None:
    assert_law(Counter(edge_sets(draw(BarabasiAlbert(m), n, 10_000))), barabasi_albert_law(n, m))


def test_barabasi_albert_has_exactly_m_edges_for_each_new_node() -> None:
    batch = draw(BarabasiAlbert(m=4), (5, 6, 9, 60), 100)
    assert torch.equal(num_links(batch), 4 * (batch.node_segments.lengths - 4))
    assert bool((batch.in_degree > 0).all())


def test_barabasi_albert_has_hubs_as_networkx() -> None:
    ours = degrees(draw(BarabasiAlbert(m=3), 60, 300)).float()
    graphs = [nx.barabasi_albert_graph(60, 3, seed=seed) for seed in range(300)]
    theirs = torch.tensor([[degree for _, degree in graph.degree] for graph in graphs]).float()
    assert_same_mean(ours.max(1).values, theirs.max(1).values)
    assert_same_mean(ours.square().mean(1), theirs.square().mean(1))


# ---- random regular --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("d", "sizes"), [(1, (2, 40)), (3, (4, 6, 8, 50)), (4, (5, 6, 7, 8, 9, 30)), (18, (19, 20, 40))]
)
def test_random_regular_gives_every_node_d_neighbours(d: int, sizes: tuple[int, ...]) -> None:
    assert bool((draw(RandomRegular(d), sizes, 100).in_degree == d).all())


@pytest.mark.parametrize(("n", "d", "count"), [(5, 2, 12), (6, 4, 15), (6, 1, 15)])
def test_random_regular_is_uniform_where_all_graphs_are_alike(n: int, d: int, count: int) -> None:
    # The 5-cycles; the octahedra; the perfect matchings: each one is any other with its nodes renamed.
    drawn = Counter(edge_sets(draw(RandomRegular(d), n, 6000)))
    assert len(drawn) == count
    assert_law(drawn, dict.fromkeys(drawn, 1 / count))


def test_random_regular_pairs_stubs_as_networkx() -> None:
    # Two triangles or a hexagon, 1 in 7 if uniform: the pairing is not, so compare its own bias.
    ours = [_num_triangles(edges) for edges in edge_sets(draw(RandomRegular(2), 6, 6000))]
    theirs = [_num_triangles({_pair(*e) for e in nx.random_regular_graph(2, 6, seed=s).edges}) for s in range(6000)]
    assert_same_mean(torch.tensor(ours).float(), torch.tensor(theirs).float())


def _num_triangles(edges: frozenset[tuple[int, int]] | set[tuple[int, int]]) -> int:
    triples = itertools.combinations(range(6), 3)
    return sum(edges >= {(a, b), (a, c), (b, c)} for a, b, c in triples)


# ---- random geometric ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("radius", [0.02, 0.3, 1.0, 2.0])
def test_random_geometric_joins_exactly_the_close_pairs(radius: float) -> None:
    batch = draw(RandomGeometric(radius), (1, 2, 7, 40), 30)
    position, graph = batch.nodes["position"], batch.node_graph
    assert position.shape == (batch.num_nodes, 2)
    square = (position[:, None] - position[None]).square().sum(2)
    close = (square <= radius**2) & (graph[:, None] == graph[None]) & ~torch.eye(batch.num_nodes, dtype=torch.bool)
    assert torch.equal(batch.edge_index, close.nonzero().T.flip(0))
    assert bool(((position >= 0) & (position < 1)).all())


def test_random_geometric_numbers_its_nodes_in_no_order() -> None:
    first = draw(RandomGeometric(), 20, 400).nodes["position"].view(400, 20, 2)[:, 0]
    assert bool(((first.mean(0) - 0.5).abs() < 4 * math.sqrt(1 / 12 / 400)).all())


# ---- text and errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "topology"),
    [
        ("watts-strogatz", WattsStrogatz()),
        ("watts-strogatz:k=6,p=0.1", WattsStrogatz(k=6, p=0.1)),
        ("erdos-renyi:p=1e-05", ErdosRenyi(p=1e-5)),
        ("barabasi-albert:m=2", BarabasiAlbert(m=2)),
        ("random-regular:d=4", RandomRegular(d=4)),
        ("random-geometric:radius=0.125", RandomGeometric(radius=0.125)),
    ],
)
def test_text_and_topology_describe_each_other(spec: str, topology: Topology) -> None:
    assert parse_topology(spec) == topology
    assert str(topology) == spec


@given(topologies)
def test_every_topology_survives_its_text(topology: Topology) -> None:
    assert parse_topology(str(topology)) == topology


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WattsStrogatz(k=3), "watts-strogatz: k=3 .* even and at least 2"),
        (lambda: WattsStrogatz(k=0), "watts-strogatz: k=0"),
        (lambda: WattsStrogatz(p=1.5), "watts-strogatz: p=1.5 .* from 0 to 1"),
        (lambda: ErdosRenyi(p=-0.1), "erdos-renyi: p=-0.1"),
        (lambda: ErdosRenyi(p=math.nan), "erdos-renyi: p=nan"),
        (lambda: BarabasiAlbert(m=0), "barabasi-albert: m=0"),
        (lambda: RandomRegular(d=0), "random-regular: d=0"),
        (lambda: RandomGeometric(radius=0), "random-geometric: radius=0"),
        (lambda: InstanceGenerator(ErdosRenyi(), ()), "sizes is empty"),
        (lambda: InstanceGenerator(ErdosRenyi(), (5, 0)), "sizes holds 0"),
        (lambda: InstanceGenerator(ErdosRenyi(), (5, -3)), "sizes holds -3"),
        (lambda: InstanceGenerator(ErdosRenyi(), (5,), "two"), "weights='two' .* uniform, one"),  # type: ignore[arg-type]
        (lambda: InstanceGenerator(ErdosRenyi(), (5,))(-1, seeded()), "num_graphs=-1"),
        (lambda: InstanceGenerator(BarabasiAlbert(4), (9, 4)), "barabasi-albert: m=4 needs more than 4 nodes, not 4"),
        (lambda: InstanceGenerator(RandomRegular(3), (8, 7)), "random-regular: d=3 .* even number, not 7"),
        (lambda: RandomRegular(4).edges(torch.tensor([4]), seeded()), "random-regular: d=4 .* not 4"),
        (lambda: parse_topology("small-world"), "unknown topology 'small-world'; .* watts-strogatz, erdos-renyi"),
        (lambda: parse_topology("watts-strogatz:q=1"), "no option 'q'; it has k, p"),
        (lambda: parse_topology("watts-strogatz:k=many"), "k='many' is not of type int"),
        (lambda: parse_topology("watts-strogatz:k"), "k='' is not of type int"),
        (lambda: parse_topology("watts-strogatz:k=4,k=6"), "k is given twice"),
        (lambda: parse_topology("watts-strogatz:k=5"), "k=5 .* even"),
    ],
)
def test_errors_name_the_option_and_fit_on_one_line(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)
