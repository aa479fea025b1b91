"""Quick tours are tours, and the quick bound is one."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphwright.core import GraphBatch, from_edges
from graphwright.envs.problems.tour.environment import TOUR, Tour
from graphwright.envs.problems.tour.exact import exact_tour
from graphwright.envs.problems.tour.iterated import shorten
from graphwright.envs.problems.tour.quick import greedy_edges, space_filling
from graphwright.envs.problems.tour.quick_bound import held_karp_bound
from graphwright.envs.problems.tour.sequence import tour_length
from strategies import alone, seeded, seeds


@st.composite
def points(draw: st.DrawFn) -> GraphBatch:
    """Up to 3 graphs of 1 to 9 points, in general position or on a small lattice and so with equal points."""
    sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=3))
    generator = seeded(draw(seeds))
    lattice = torch.randint(3, (sum(sizes), 2), generator=generator).double()
    position = lattice if draw(st.booleans()) else torch.rand(sum(sizes), 2, generator=generator).double()
    return placed(position, *sizes)


def placed(position: torch.Tensor, *sizes: int) -> GraphBatch:
    """One instance for each size."""
    bare = from_edges(torch.zeros(2, 0), torch.tensor(sizes), undirected=True, nodes={"position": position.double()})
    return Tour().instance(bare)


def order_of(state: GraphBatch, start: int = 0) -> list[int]:
    """The tour of a batch of one graph, followed node by node until it is closed."""
    successor = state.nodes["successor"].tolist()
    order = [start]
    while successor[order[-1]] != start and len(order) <= len(successor):
        order.append(successor[order[-1]])
    return order


def drawn(*sizes: int) -> GraphBatch:
    return GraphBatch.concat([TOUR.generator("points", (size,), "nearest")(1, seeded()) for size in sizes])


@settings(max_examples=20, deadline=None)
@given(points())
def test_they_visit_each_node_once(instances: GraphBatch) -> None:
    for found in (space_filling(instances), greedy_edges(instances)):
        for graph in range(instances.num_graphs):
            state = alone(found, graph)
            assert sorted(order_of(state)) == list(range(state.num_nodes))


def test_the_curve_goes_from_square_to_square() -> None:
    """Of a grid of 8 × 8, each step is one to the side."""
    grid = torch.cartesian_prod(torch.arange(8.0), torch.arange(8.0))
    order = torch.tensor(order_of(space_filling(placed(grid, 64))))
    steps = (grid[order[1:]] - grid[order[:-1]]).abs().sum(1)
    assert steps.tolist() == [1.0] * 63


def test_greedy_edges_by_hand() -> None:
    """On a line all neighbours are joined, and what is left closes the tour."""
    line = torch.tensor([[-2.0, 0], [1.0, 0], [2.0, 0], [3.5, 0]])
    assert tour_length(greedy_edges(placed(line, 4))).tolist() == pytest.approx([11.0])


def test_the_bound_is_below_the_optimum_and_near() -> None:
    instances = drawn(1, 2, 3, 5, 12, 30)
    optimum = exact_tour(shorten(greedy_edges(instances), 0.0), time_limit=600.0)
    assert bool(optimum.proven.all())
    bound = held_karp_bound(instances)
    assert (bound <= optimum.bound * (1 + 1e-9)).all()
    assert (bound >= 0.96 * optimum.bound).all()
