"""Points of the plane: distances as TSPLIB rounds them, nearest neighbours, and a unit that follows the points."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphwright.adapters.files import read_graph, read_tour
from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.envs.problems.tour import plane
from graphwright.envs.problems.tour.plane import distance, join_nearest, spacing
from graphwright.envs.problems.tour.points import near_points, points_of
from graphwright.envs.problems.tour.sequence import in_order, tour_length
from strategies import alone, assert_same, assert_same_batch, seeded, seeds

TSPLIB = Path(__file__).parents[3] / "instances" / "tsplib"


def points(sizes: list[int], position: Tensor, rounding: int = 0) -> GraphBatch:
    """Graphs of so many points each, without edges."""
    graph = from_edges(torch.zeros(2, 0), torch.tensor(sizes), undirected=True, nodes={"position": position})
    return points_of(graph.with_graphs(rounding=torch.full((len(sizes),), rounding)))


@st.composite
def ragged_points(draw: st.DrawFn) -> GraphBatch:
    """Up to 4 graphs of up to 8 points, in general position or on a small lattice and so with equal points."""
    sizes = draw(st.lists(st.integers(0, 8), max_size=4))
    generator = seeded(draw(seeds))
    lattice = torch.randint(3, (sum(sizes), 2), generator=generator).double()
    position = lattice if draw(st.booleans()) else torch.rand(sum(sizes), 2, generator=generator).double()
    return points(sizes, position, draw(st.sampled_from([0, 1, 2])))


@pytest.mark.parametrize(
    ("rounding", "lengths"), [(0, [5.0, 2.5, math.sqrt(2)]), (1, [5, 3, 1]), (2, [5, 3, 2]), (3, [2, 1, 1])]
)
def test_distances_are_rounded_as_the_graph_says(rounding: int, lengths: list[float]) -> None:
    graph = points([6], torch.tensor([[0.0, 0], [3, 4], [0, 0], [2.5, 0], [1, 1], [2, 2]]), rounding)
    assert distance(graph, torch.tensor([0, 2, 4]), torch.tensor([1, 3, 5])).tolist() == lengths


@pytest.mark.parametrize(
    ("name", "optimum"), [("eil51", 426), ("berlin52", 7542), ("st70", 675), ("pr76", 108159), ("kroA100", 21282)]
)
def test_published_tours_have_their_published_lengths(name: str, optimum: int) -> None:
    named = read_graph(TSPLIB / f"{name}.tsp")
    place = {node: index for index, node in enumerate(named.names)}
    order = torch.tensor([place[node] for node in read_tour(TSPLIB / f"{name}.opt.tour")])
    assert tour_length(in_order(points_of(named.graph), order)).tolist() == [optimum]


@given(ragged_points(), st.sampled_from([0, 1, 2, 5]))
def test_each_node_is_joined_with_its_nearest(graph: GraphBatch, neighbours: int) -> None:
    joined = join_nearest(graph, neighbours)
    joined.validate()
    assert_same(joined.edges["distance"], distance(graph, *joined.edge_index))
    for index in range(graph.num_graphs):
        one = alone(joined, index)
        size = one.num_nodes
        far = torch.cdist(one.nodes["position"], one.nodes["position"]).fill_diagonal_(torch.inf)
        edges = set(map(tuple, one.edge_index.T.tolist()))
        assert len(edges) == one.num_edges
        wanted = min(neighbours or size - 1, size - 1)
        mutual = torch.zeros(size, size, dtype=torch.bool)
        for node, other in edges:
            mutual[node, other] = True
        for node in range(size):  # its nearest are there, whichever of equals they are
            if wanted > 0:
                reach = far[node].sort().values[wanted - 1]
                assert mutual[node].sum() >= wanted
                assert mutual[node][far[node] < reach - 1e-9].all()
        for node, other in edges:  # and nobody is joined who is not among the nearest of one of the two
            ranks = [(far[a] < far[a, b] - 1e-9).sum() for a, b in ((node, other), (other, node))]
            assert min(ranks) < wanted


@given(ragged_points())
def test_pieces_change_nothing(graph: GraphBatch) -> None:
    whole = join_nearest(graph, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plane, "_PAIRS_AT_ONCE", 10)
        assert_same_batch(join_nearest(graph, 3), whole)


@given(ragged_points(), st.floats(1e-6, 1e6))
def test_the_spacing_follows_the_unit_and_is_never_zero(graph: GraphBatch, unit: float) -> None:
    scale = spacing(graph)
    assert bool((scale > 0).all())
    moved = spacing(graph.with_nodes(position=graph.nodes["position"] * unit))
    same = torch.isclose(scale * unit, moved, rtol=1e-9)
    assert bool((same | (moved == 1)).all())


def test_uniform_points_have_the_spacing_of_their_number() -> None:
    for size in (100, 10_000):
        graph = points([size], torch.rand(size, 2, generator=seeded()))
        assert spacing(graph).item() == pytest.approx(1 / math.sqrt(size), rel=0.1)


def test_positions_may_be_two_columns() -> None:
    graph = from_edges(
        torch.tensor([[0], [1]]), torch.tensor([2]), undirected=True, nodes={"x": torch.ones(2), "y": torch.arange(2)}
    )
    taken = points_of(graph)
    assert taken.nodes["position"].tolist() == [[1, 0], [1, 1]]
    assert taken.num_edges == 0
    assert taken.graphs["rounding"].tolist() == [0]


NOTHING = from_edges(torch.zeros(2, 0), torch.tensor([2]), undirected=True)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (NOTHING, r"the nodes have no place; give each a `position` of two numbers, or `x` and `y`"),
        (NOTHING.with_nodes(x=torch.ones(2)), r"the nodes have no place"),
        (NOTHING.with_nodes(position=torch.ones(2, 3)), r"'position' is of shape \(2, 3\); give each node two numbers"),
        (NOTHING.with_nodes(position=torch.tensor([[0, 0], [1, math.nan]])), r"'position' is \[1.0, nan\] at node 1"),
        (NOTHING.with_nodes(position=torch.full((2, 2), math.inf)), r"'position' is \[inf, inf\] at node 0; give num"),
        (
            NOTHING.with_nodes(position=torch.ones(2, 2)).with_graphs(rounding=torch.tensor([7])),
            r"graph column 'rounding' is \[7.0\]; give 0 for none, 1 to 4 for TSPLIB's EUC_2D, CEIL_2D, ATT, GEO",
        ),
    ],
)
def test_points_that_are_none_are_refused(graph: GraphBatch, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        near_points(points_of(graph), 10)
