"""Local search from given tours and cuts only gains, keeps what it is given whole, and finds the best of small ones."""

from __future__ import annotations

import itertools

import pytest
import torch

from graphwright.core import from_edges
from graphwright.core.segment import segment_sum
from graphwright.envs.problems.max_cut.environment import MaxCut
from graphwright.envs.problems.max_cut.problem import MAX_CUT, final_state
from graphwright.envs.problems.tour import plane
from graphwright.envs.problems.tour.environment import TOUR, Tour
from graphwright.envs.problems.tour.iterated import shorten
from graphwright.envs.problems.tour.sequence import in_order, tour_length
from strategies import seeded


def test_tours_stay_tours_and_become_shorter() -> None:
    points = TOUR.generator("points", (4, 9, 200))(6, seeded())
    start = in_order(Tour().reset(points), torch.arange(points.num_nodes))
    found = shorten(start, 0.0)
    assert (tour_length(found) <= tour_length(start) + 1e-9).all()
    for graph in range(6):
        one = found.select(torch.tensor([graph]))
        assert sorted(Tour().solution(one).nodes.tolist()) == list(range(one.num_nodes))
    longer = shorten(found, 0.02, seed=3)
    assert (tour_length(longer) <= tour_length(found) + 1e-9).all()


def test_the_shortest_tour_of_few_points_is_found() -> None:
    points = TOUR.generator("points", (8,))(1, seeded())
    assert TOUR.improve is not None
    found = TOUR.improve(Tour(), in_order(Tour().reset(points), torch.arange(8)), 0.05, 0)
    least = min(
        tour_length(in_order(Tour().reset(points), torch.tensor([0, *order]))).item()
        for order in itertools.permutations(range(1, 8))
        if order[0] < order[-1]
    )
    assert tour_length(found).item() == pytest.approx(least)


def test_near_points_are_the_same_by_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    points = TOUR.generator("points", (30, 50))(2, seeded())
    twins = points.with_nodes(
        position=points.nodes["position"].index_copy(0, torch.tensor([1]), points.nodes["position"][:1])
    )
    for graph in (points, twins):
        expected = plane.join_nearest(graph, 5)
        with monkeypatch.context() as patch:
            patch.setattr(plane, "_MANY", 10)
            found = plane.join_nearest(graph, 5)
        assert found.edge_index.tolist() == expected.edge_index.tolist()


def test_cuts_become_larger_and_largest() -> None:
    instances = MAX_CUT.generator("erdos-renyi:p=0.4", (11,), "signed")(2, seeded())
    nothing = final_state(MaxCut(), instances, torch.zeros(22, dtype=torch.bool))
    assert MAX_CUT.improve is not None
    found = MAX_CUT.improve(MaxCut(), nothing, 0.02, 0)
    source, destination = instances.edge_index
    best = torch.zeros(2, dtype=torch.float64)
    for number in range(1 << 10):
        side = torch.tensor([number >> node & 1 for node in range(11)], dtype=torch.bool).repeat(2)
        crossing = instances.edges["weight"].double() * (side[source] != side[destination]) / 2
        best = torch.maximum(best, segment_sum(crossing, instances.edge_segments))
    assert MaxCut().objective(found).tolist() == pytest.approx(best.tolist(), abs=1e-6)
    empty = from_edges(torch.empty(2, 0, dtype=torch.int64), torch.tensor([3]), undirected=True)
    alone = final_state(MaxCut(), MaxCut().instance(empty), torch.zeros(3, dtype=torch.bool))
    assert MaxCut().objective(MAX_CUT.improve(MaxCut(), alone, 0.0, 0)).item() == 0
