"""The exact tour against all permutations, from good and from bad first tours, and without its solver."""

from __future__ import annotations

import itertools
import math
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphwright.core import GraphBatch, from_edges
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.tour.environment import Tour
from graphwright.envs.problems.tour.exact import exact_tour
from graphwright.envs.problems.tour.sequence import tour_length
from graphwright.envs.rollouts import play
from strategies import NO_LIMIT, seeded, seeds


def tours(points: list[torch.Tensor], seed: int = 0) -> GraphBatch:
    """A random tour through each list of points [n, 2]."""
    sizes = torch.tensor([len(point) for point in points])
    bare = from_edges(torch.zeros(2, 0), sizes, undirected=True, nodes={"position": torch.cat(points)})
    environment = Tour("append")
    return play(environment, environment.instance(bare), random_choice(environment, seeded(seed)))


def shortest(points: torch.Tensor) -> float:
    """By trying all orders that begin with the first point."""
    distances = torch.cdist(points, points).tolist()
    return min(
        sum(distances[one][other] for one, other in itertools.pairwise((0, *order, 0)))
        for order in itertools.permutations(range(1, len(points)))
    )


@given(sizes=st.lists(st.integers(1, 7), min_size=1, max_size=3), seed=seeds, lattice=st.booleans())
def test_no_order_is_shorter(sizes: list[int], seed: int, lattice: bool) -> None:
    draw = seeded(seed)
    points = [
        torch.randint(4, (size, 2), generator=draw).double()
        if lattice
        else torch.rand(size, 2, generator=draw).double()
        for size in sizes
    ]
    optimum = exact_tour(tours(points, seed), time_limit=NO_LIMIT)
    assert optimum.proven.all()
    assert optimum.solution is not None
    assert torch.allclose(tour_length(optimum.solution), optimum.objective)
    for found, some in zip(optimum.objective.tolist(), points, strict=True):
        assert found == pytest.approx(shortest(some), abs=1e-9)


def test_points_on_a_circle_are_visited_round_it() -> None:
    angle = torch.randperm(24, generator=seeded(0)).double() * (2 * math.pi / 24)
    optimum = exact_tour(tours([torch.stack([angle.cos(), angle.sin()], dim=1)]), time_limit=NO_LIMIT)
    assert optimum.proven.all()
    assert float(optimum.objective) == pytest.approx(24 * 2 * math.sin(math.pi / 24))


def test_without_time_the_first_tour_stands_unproven() -> None:
    start = tours([torch.rand(40, 2, generator=seeded(1)).double()])
    optimum = exact_tour(start, time_limit=1e-9)
    assert torch.equal(optimum.objective, tour_length(start))
    assert not optimum.proven.any()
    assert float(optimum.bound) < float(optimum.objective)


def test_a_missing_solver_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ortools.sat.python", None)
    with pytest.raises(ImportError, match=r"pip install 'graphwright\[solvers\]'"):
        exact_tour(tours([torch.zeros(5, 2, dtype=torch.float64)]), time_limit=NO_LIMIT)
