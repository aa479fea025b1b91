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
    unit_weights,
)
from graphwright.envs.generators.gabriel import Gabriel
from graphwright.envs.generators.grid import Grid
from graphwright.envs.generators.hamming import Hamming
from graphwright.envs.generators.johnson import Johnson
from graphwright.envs.generators.path import PathGraph
from graphwright.envs.generators.points import Points
from graphwright.envs.generators.rb import ModelRB
from graphwright.envs.generators.tree import RandomTree
from graphwright.envs.generators.words import WordGraph
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER

Edges = frozenset[tuple[int, int]]

topologies = st.one_of(
    st.builds(WattsStrogatz, k=st.sampled_from([2, 4, 6, 10]), p=st.sampled_from([0.0, 0.3, 1.0])),
    st.builds(ErdosRenyi, p=st.sampled_from([0.0, 0.01, 0.3, 1.0])),
    st.builds(BarabasiAlbert, m=st.integers(1, 5)),
    st.builds(RandomRegular, d=st.integers(1, 8)),
    st.builds(RandomGeometric, radius=st.sampled_from([0.01, 0.3, 2.0])),
    st.sampled_from([Points(), PathGraph(), Grid(), Gabriel(), RandomTree()]),
    st.builds(Hamming, n=st.integers(1, 5), d=st.integers(1, 4)),
    st.builds(Johnson, n=st.integers(4, 6), w=st.integers(1, 4), d=st.integers(1, 4)),
    st.builds(ModelRB, n_min=st.integers(2, 4), n_max=st.integers(4, 8), p_min=st.sampled_from([0.1, 0.5, 1.0])),
)
CONNECTED = (
    *(WattsStrogatz(p=0.0), BarabasiAlbert(), RandomRegular(18)),
    *(PathGraph(), Grid(), Gabriel(), RandomTree(), Hamming(d=2), Johnson(d=2)),
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
@settings(max_examples=60, deadline=None)
def test_every_topology_gives_simple_undirected_graphs_and_the_same_ones_from_the_same_seed(
    topology: Topology, sizes: list[int], num_graphs: int, seed: int
) -> None:
    possible = tuple(size for size in sizes if _has_size(topology, size)) or (_some_size(topology),)
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


def _some_size(topology: Topology) -> int:
    if isinstance(topology, WordGraph):
        return topology.size
    return 24 if _has_size(topology, 24) else 240


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_each_edge_comes_once_from_the_topology_itself(name: str) -> None:
    topology = parse_topology(name)
    some = [12, 6, 30]
    sizes = some if all(_has_size(topology, size) for size in some) else [_some_size(topology)] * 3
    num_nodes = topology.num_nodes(torch.tensor(sizes))
    edges = topology.edges(num_nodes, seeded())
    keys = edges.amin(0) * int(num_nodes.sum()) + edges.amax(0)
    assert edges.dtype == torch.int64
    assert keys.unique().numel() == keys.numel()


@pytest.mark.parametrize("topology", CONNECTED, ids=str)
def test_topologies_that_promise_it_are_connected(topology: Topology) -> None:
    sizes = (_some_size(topology),) if isinstance(topology, WordGraph) else (20, 24, 60)
    batch = draw(topology, sizes, 20)
    for graph in range(20):
        one = batch.select(torch.tensor([graph]))
        assert nx.is_connected(nx.Graph(one.edge_index.T.tolist()))
        assert bool((one.in_degree > 0).all())


@pytest.mark.parametrize("topology", [*CONNECTED, Points(), ErdosRenyi(), RandomGeometric()], ids=str)
def test_no_graphs_are_no_edges(topology: Topology) -> None:
    assert draw(topology, _some_size(topology), 0).num_graphs == 0


@pytest.mark.parametrize("topology", [WattsStrogatz(), ErdosRenyi(1.0), RandomGeometric(2.0)])
def test_graphs_of_one_and_two_nodes(topology: Topology) -> None:
    batch = draw(topology, (1, 2), 50)
    assert torch.equal(num_links(batch), batch.node_segments.lengths - 1)


def test_sizes_are_uniform_over_the_list_and_weights_over_the_unit_interval() -> None:
    batch = draw(ErdosRenyi(), (5, 10, 15), 6000)
    assert_law(Counter(batch.node_segments.lengths.tolist()), {5: 1 / 3, 10: 1 / 3, 15: 1 / 3})
    assert_law(Counter((batch.nodes["weight"] * 20).long().tolist()), dict.fromkeys(range(20), 1 / 20))
    ones = InstanceGenerator(ErdosRenyi(), (5,), unit_weights)(3, seeded())
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


# ---- points, paths, grids --------------------------------------------------------------------------------------------


def test_points_are_uniform_in_the_unit_square_and_joined_to_nothing() -> None:
    batch = draw(Points(), (1, 7, 40), 300)
    assert batch.num_edges == 0
    position = batch.nodes["position"]
    assert position.shape == (batch.num_nodes, 2)
    assert position.dtype == torch.float32
    cells = Counter(map(tuple, (position * 4).long().tolist()))
    assert_law(cells, dict.fromkeys(itertools.product(range(4), repeat=2), 1 / 16))


def test_a_path_goes_through_its_nodes_in_order() -> None:
    batch = InstanceGenerator(PathGraph(), (1, 2, 5))(30, seeded())
    for edges, size in zip(edge_sets(batch), batch.node_segments.lengths.tolist(), strict=True):
        assert edges == frozenset(itertools.pairwise(range(size)))


@pytest.mark.parametrize(
    ("size", "rows", "columns"), [(1, 1, 1), (2, 1, 2), (3, 1, 3), (6, 2, 3), (16, 4, 4), (60, 6, 10), (10, 2, 5)]
)
def test_a_grid_is_as_square_as_its_size_allows(size: int, rows: int, columns: int) -> None:
    batch = draw(Grid(), size, 3)
    theirs = nx.convert_node_labels_to_integers(nx.grid_2d_graph(rows, columns), ordering="sorted")
    assert edge_sets(batch) == [frozenset(_pair(*edge) for edge in theirs.edges)] * 3
    place = [[float(node % columns), float(node // columns)] for node in range(size)]
    assert batch.nodes["position"].tolist() == place * 3


def test_grids_of_several_sizes_lie_side_by_side() -> None:
    batch = draw(Grid(), (3, 12, 35), 40)
    position, (one, other) = batch.nodes["position"], batch.edge_index
    close = (position[:, None] - position[None]).abs().sum(2) == 1
    close &= batch.node_graph[:, None] == batch.node_graph[None]
    assert torch.equal(torch.stack([one, other]), close.nonzero().T.flip(0))


# ---- Gabriel ---------------------------------------------------------------------------------------------------------


def test_gabriel_joins_exactly_the_pairs_with_an_empty_circle() -> None:
    batch = draw(Gabriel(), (1, 2, 3, 17, 40), 60)
    for graph in range(60):
        one = batch.select(torch.tensor([graph]))
        point = one.nodes["position"].double()
        square = (point[:, None] - point[None]).square().sum(2)
        inside = square[:, None, :] + square[None, :, :] < square[:, :, None]  # [u, v, w]: w in the circle of u and v
        joined = ~inside.any(2) & ~torch.eye(len(point), dtype=torch.bool)
        assert torch.equal(one.edge_index, joined.nonzero().T.flip(0))


def test_gabriel_graphs_are_planar_and_as_sparse_as_theory_says() -> None:
    batch = draw(Gabriel(), 300, 10)
    for edges in edge_sets(batch):
        assert nx.check_planarity(nx.Graph(list(edges)))[0]
    # Far from the border a node has ∫ exp(-density π r² / 4) density 2 π r dr = 4 neighbours on average.
    inner = ((batch.nodes["position"] - 0.5).abs() < 0.3).all(1)
    degree = batch.in_degree[inner].double()
    assert abs(degree.mean() - 4) < 4 * degree.std() / math.sqrt(len(degree))


# ---- trees -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "count"), [(3, 3), (4, 16), (5, 125)])
def test_every_labelled_tree_is_drawn_as_often(size: int, count: int) -> None:
    drawn = Counter(edge_sets(draw(RandomTree(), size, 10_000)))
    assert len(drawn) == count
    assert_law(drawn, dict.fromkeys(drawn, 1 / count))


def test_trees_of_several_sizes_are_trees() -> None:
    batch = draw(RandomTree(), (1, 2, 3, 40, 500), 60)
    assert torch.equal(num_links(batch), batch.node_segments.lengths - 1)
    for graph in range(60):
        one = batch.select(torch.tensor([graph]))
        assert one.num_nodes == 1 or nx.is_tree(nx.Graph(one.edge_index.T.tolist()))


# ---- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topology", "nodes", "edges"),
    [  # the files hammingN-D and johnsonN-W-D of the second DIMACS challenge
        (Hamming(n=6, d=2), 64, 1824),
        (Hamming(n=6, d=4), 64, 704),
        (Hamming(n=8, d=4), 256, 20864),
        (Johnson(n=8, w=2, d=4), 28, 210),
        (Johnson(n=8, w=4, d=4), 70, 1855),
        (Johnson(n=16, w=2, d=4), 120, 5460),
    ],
    ids=str,
)
def test_word_graphs_have_the_sizes_of_dimacs(topology: WordGraph, nodes: int, edges: int) -> None:
    assert topology.size == nodes
    assert num_links(draw(topology, nodes, 2)).tolist() == [edges, edges]


@pytest.mark.parametrize("topology", [Hamming(n=4, d=3), Johnson(n=6, w=3, d=4)], ids=str)
def test_word_graphs_join_the_words_that_differ_enough(topology: WordGraph) -> None:
    words = topology.words().tolist()
    assert len({*map(tuple, words)}) == topology.size
    far = {
        (u, v)
        for u, v in itertools.combinations(range(topology.size), 2)
        if sum(a != b for a, b in zip(words[u], words[v], strict=True)) >= topology.d
    }
    assert edge_sets(draw(topology, topology.size, 3)) == [frozenset(far)] * 3


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
        ("points", Points()),
        ("path", PathGraph()),
        ("grid", Grid()),
        ("gabriel", Gabriel()),
        ("tree", RandomTree()),
        ("hamming:n=8", Hamming(n=8)),
        ("johnson:n=16,w=2", Johnson(n=16, w=2)),
        ("rb:n_min=40,n_max=54", ModelRB(n_min=40, n_max=54)),
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
        (lambda: Grid().check_sizes(torch.tensor([12, 7])), "grid: 7 is prime; .* such as 8"),
        (lambda: Grid().edges(torch.tensor([5]), seeded()), "grid: 5 is prime"),
        (lambda: Hamming(n=0), "hamming: n=0 .* from 1 to 64"),
        (lambda: Hamming(d=0), "hamming: d=0 .* at least 1"),
        (lambda: Hamming(n=13), "hamming: 8192 words are too many; .* at most 4096"),
        (lambda: Hamming(n=6).check_sizes(torch.tensor([64, 20])), "hamming has 64 nodes, not 20; give the size 64"),
        (lambda: Johnson(n=8, w=9), "johnson: w=9 ones in n=8 places; give w from 1 to n"),
        (lambda: Johnson(n=64, w=32), "johnson: 1832624140942590534 words are too many"),
        (lambda: Johnson(w=2).edges(torch.tensor([70]), seeded()), "johnson:w=2 has 28 nodes, not 70"),
        (lambda: InstanceGenerator(ErdosRenyi(), ()), "sizes is empty"),
        (lambda: InstanceGenerator(ErdosRenyi(), (5, 0)), "sizes holds 0"),
        (lambda: InstanceGenerator(ErdosRenyi(), (5, -3)), "sizes holds -3"),
        (
            lambda: VERTEX_COVER.generator(law="two"),
            "vertex-cover has no law 'two' of instances; choose one of uniform, one",
        ),
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
