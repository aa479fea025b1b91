from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core import GraphBatch, from_edges
from graphwright.core.segment import segment_sum
from graphwright.envs.generators import ErdosRenyi, InstanceGenerator, WattsStrogatz, unit_weights
from graphwright.envs.problems.vertex_cover.two_approximation import remove_redundant, two_approximation

fixed = settings(derandomize=True, deadline=None, max_examples=100)


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


def cost(instances: GraphBatch, cover: Tensor) -> Tensor:
    return segment_sum(instances.nodes["weight"].double() * cover, instances.node_segments)


def one_after_the_other(instances: GraphBatch, cover: Tensor) -> list[bool]:
    """What `remove_redundant` promises, in plain Python over all nodes of all graphs."""
    left = cover.tolist()
    neighbours: list[list[int]] = [[] for _ in left]
    for source, destination in instances.edge_index.T.tolist():
        neighbours[destination].append(source)
    weight = instances.nodes["weight"].tolist()
    for node in sorted(range(len(left)), key=lambda node: -weight[node]):
        left[node] = left[node] and not all(left[neighbour] for neighbour in neighbours[node])
    return left


@given(small_graphs())
@fixed
def test_the_cover_costs_at_most_twice_the_optimum_and_needs_each_of_its_nodes(instances: GraphBatch) -> None:
    cover = two_approximation(instances)
    assert cover.shape == (instances.num_nodes,)
    assert cover.dtype == torch.bool
    assert bool(cover[instances.edge_index].any(0).all())
    assert bool((cost(instances, cover) <= 2 * least_cost(instances) + 1e-12).all())
    assert torch.equal(remove_redundant(instances, cover), cover)


@given(small_graphs())
@fixed
def test_nodes_are_removed_as_if_one_after_the_other(instances: GraphBatch) -> None:
    for cover in (torch.ones(instances.num_nodes, dtype=torch.bool), two_approximation(instances)):
        assert remove_redundant(instances, cover).tolist() == one_after_the_other(instances, cover)


@given(small_graphs())
@fixed
def test_a_batch_is_covered_as_its_graphs_one_by_one(instances: GraphBatch) -> None:
    alone = [two_approximation(instances.select(torch.tensor([graph]))) for graph in range(instances.num_graphs)]
    assert torch.equal(two_approximation(instances), torch.cat([torch.zeros(0, dtype=torch.bool), *alone]))


def test_small_covers_known_by_hand() -> None:
    star, triangle, path = [(0, 1), (0, 2), (0, 3)], [(4, 5), (5, 6), (4, 6)], [(7, 8), (8, 9)]
    weight = torch.tensor([1.0, 1, 1, 1, 1, 2, 3, 1, 0, 1, 5])  # the last node is a graph of its own
    sizes = torch.tensor([4, 3, 3, 1])
    graphs = from_edges(torch.tensor(star + triangle + path).T, sizes, undirected=True, nodes={"weight": weight})
    assert two_approximation(graphs).nonzero().squeeze(1).tolist() == [0, 4, 5, 8]


def test_large_graphs_are_covered_lightly_and_rings_without_waiting_in_line() -> None:
    generator = torch.Generator().manual_seed(0)
    worlds = InstanceGenerator(WattsStrogatz(k=4, p=0.3), (1000,))(4, generator)
    ring = InstanceGenerator(WattsStrogatz(k=2, p=0), (100_000,), unit_weights)(1, generator)
    for instances, share in ((worlds, 0.3), (ring, 0.65)):
        cover = two_approximation(instances)
        assert bool(cover[instances.edge_index].any(0).all())
        assert bool((cost(instances, cover) < share * instances.node_segments.lengths).all())
