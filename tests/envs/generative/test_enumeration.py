"""Numbers of states and of ways, against counts that are made otherwise."""

from __future__ import annotations

import itertools
import math

import networkx as nx
import pytest
import torch

from flow_exact import SMALL, coloured, log_ways_back, space_of
from graphwright.core import GraphBatch
from graphwright.envs.generative.context import GraphContext
from graphwright.envs.generative.enumeration import StateSpace, enumerate_states, in_pieces, total_variation
from graphwright.envs.generative.environment import blank
from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.generative.grid import HyperGrid, axes

every_environment = pytest.mark.parametrize("name", SMALL)


def sizes(space: StateSpace) -> list[int]:
    """How many states have 1, 2, ... nodes."""
    return torch.bincount(space.states.node_segments.lengths)[1:].tolist()


def as_networkx(states: GraphBatch) -> list[nx.Graph]:
    """Each graph with the colours of its nodes."""
    graphs = []
    for place in range(states.num_graphs):
        one = states.select(torch.tensor([place]))
        graph = nx.Graph()
        graph.add_nodes_from((node, {"type": int(kind)}) for node, kind in enumerate(one.nodes["type"]))
        graph.add_edges_from(one.edge_index.T.tolist())
        graphs.append(graph)
    return graphs


def connected_coloured_graphs(nodes: int, colours: int) -> int:
    """By Burnside's lemma: the mean over permutations of how many labelled ones stay as they are, by brute force."""
    pairs = list(itertools.combinations(range(nodes), 2))
    fixed = 0
    for order in itertools.permutations(range(nodes)):
        cycles = sum(1 for _ in nx.connected_components(nx.Graph(list(enumerate(order)))))
        orbits = nx.Graph()
        orbits.add_edges_from((pair, tuple(sorted(order[v] for v in pair))) for pair in pairs)
        parts = [list(part) for part in nx.connected_components(orbits)]
        for chosen in itertools.product([False, True], repeat=len(parts)):
            graph = nx.Graph(edge for part, is_in in zip(parts, chosen, strict=True) if is_in for edge in part)
            graph.add_nodes_from(range(nodes))
            fixed += nx.is_connected(graph) * colours**cycles
    return fixed // math.factorial(nodes)


def test_all_connected_graphs_are_reached() -> None:
    """1, 1, 2, 6, 21 (OEIS A001349), and with two colours 2, 3, 10, 50, 354."""
    assert sizes(enumerate_states(coloured(5, 1), blank(1))) == [1, 1, 2, 6, 21]
    assert sizes(enumerate_states(coloured(5, 2), blank(1))) == [2, 3, 10, 50, 354]
    assert [connected_coloured_graphs(n, 1) for n in range(1, 5)] == [1, 1, 2, 6]
    assert [connected_coloured_graphs(n, 2) for n in range(1, 5)] == [2, 3, 10, 50]


def test_all_trees_are_reached() -> None:
    """1, 1, 1, 2, 3, 6 (OEIS A000055)."""
    trees = GraphBuilding(GraphContext(max_nodes=6, cycles=False))
    assert sizes(enumerate_states(trees, blank(1))) == [1, 1, 1, 2, 3, 6]


def test_graphs_have_no_more_links_than_they_may() -> None:
    few = GraphBuilding(GraphContext(max_nodes=5, max_links=4))
    atlas = [graph for graph in nx.graph_atlas_g() if 0 < len(graph) <= 5 and graph.number_of_edges() <= 4]
    assert sum(sizes(enumerate_states(few, blank(1)))) == sum(map(nx.is_connected, atlas))


@pytest.mark.parametrize(("name", "links"), [("directed edges", 6), ("undirected edges", 6)])
def test_all_sets_of_edges_are_reached(name: str, links: int) -> None:
    assert space_of(name).num_states == 2**links


@every_environment
def test_no_state_is_met_twice_and_every_state_is_reached_from_the_first(name: str) -> None:
    environment, _ = SMALL[name]
    space = space_of(name)
    space.states.validate()
    keys = environment.keys(space.states)
    assert len(set(keys)) == len(keys) == space.num_states
    assert [space.keys[key] for key in keys] == list(range(space.num_states))
    level = torch.searchsorted(space.level_ptr, torch.arange(space.num_states), right=True)
    assert bool((level[space.target] == level[space.source] + 1).all())
    assert set(space.target.tolist()) == set(range(1, space.num_states))


def test_different_states_are_not_isomorphic() -> None:
    space = space_of("two colours")
    by_size: dict[tuple[int, int], list[nx.Graph]] = {}
    for graph in as_networkx(space.states):
        by_size.setdefault((len(graph), graph.number_of_edges()), []).append(graph)

    def alike(one: dict[str, int], other: dict[str, int]) -> bool:
        return one["type"] == other["type"]

    for some in by_size.values():
        for one, other in itertools.combinations(some, 2):
            assert not nx.is_isomorphic(one, other, node_match=alike)


@pytest.mark.parametrize("name", ["grid", "cube", "directed edges", "undirected edges"])
def test_as_many_ways_lead_back_as_forth(name: str) -> None:
    environment, _ = SMALL[name]
    space = space_of(name)
    forth = torch.zeros(space.num_states, dtype=torch.float64)
    forth[0] = 1
    for source, target in zip(space.source.tolist(), space.target.tolist(), strict=True):
        forth[target] += forth[source]
    torch.testing.assert_close(log_ways_back(environment, space).exp(), forth)


@every_environment
def test_log_z_is_the_logarithm_of_the_sum_of_rewards(name: str) -> None:
    space = space_of(name)
    log_reward = torch.randn(space.num_states, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target, log_z = space.target_distribution(log_reward)
    finished = space.may_finish.tolist()
    rewards = [math.exp(value) if over else 0.0 for value, over in zip(log_reward.tolist(), finished, strict=True)]
    assert log_z == pytest.approx(math.log(sum(rewards)))
    assert target.tolist() == pytest.approx([reward / sum(rewards) for reward in rewards])


def test_a_chain_is_passed_and_left_as_its_probabilities_say() -> None:
    """Two steps along the axis of a grid of side 3, by hand."""
    space = enumerate_states(HyperGrid(1, 3), axes(1, 1))
    stop = torch.tensor([0.25, 0.5, 1.0])
    log_probs = torch.stack([stop, 1 - stop], dim=1).flatten().log()
    passing, finishing = space.reached(log_probs)
    assert passing.tolist() == pytest.approx([1, 0.75, 0.375])
    assert finishing.tolist() == pytest.approx([0.25, 0.375, 0.375])


def test_pieces_and_distances() -> None:
    space = space_of("grid")
    pieces = in_pieces(space.states, lambda states: states.nodes["coordinate"], size=3)
    assert torch.equal(pieces, space.states.nodes["coordinate"])
    one, other = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.0, 0.25, 0.75])
    assert total_variation(one, other) == 0.75
