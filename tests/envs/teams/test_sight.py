"""What agents see of each other and of what they deal with."""

from __future__ import annotations

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from graphwright.envs.teams import cells, crowd
from strategies import seeded


def test_of_cells_it_says_which_way_and_how_near() -> None:
    seen = cells.sight(torch.tensor([[0, 0], [-1, 0], [0, 1], [3, -2]]))
    assert seen["relative"].tolist() == [[0, 0], [-0.25, 0], [0, 0.25], [0.75, -0.5]]
    ways = [[place for place, way in enumerate(row) if way] for row in seen["toward"].tolist()]
    assert ways == [[], [cells.NORTH], [cells.EAST], [cells.SOUTH, cells.WEST]]
    assert torch.allclose(seen["near"], torch.tensor([0.0, 1, 1, 5]).mul(-0.5).exp())
    assert seen["beside"].tolist() == [False, True, True, False]


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 4)), min_size=1, max_size=3), st.integers(0, 2**31))
def test_of_a_crowd_it_says_where_how_far_and_who_is_nearest_to_whom(teams: list[tuple[int, int]], seed: int) -> None:
    graph = crowd.crowd(*torch.tensor(teams).T)
    position = torch.rand(graph.num_nodes, 2, generator=seeded(seed), dtype=torch.float64)
    seen = crowd.sight(graph.with_nodes(position=position))
    edges = torch.cat([graph.edge_index, graph.edges["type"].unsqueeze(0)]).T.tolist()
    place = position.tolist()
    for row, (source, end, kind) in enumerate(edges):
        relative = [place[source][axis] - place[end][axis] for axis in (0, 1)]
        assert seen["relative"][row].tolist() == relative
        assert math.isclose(seen["distance"][row], math.hypot(*relative), abs_tol=1e-12)
        assert math.isclose(seen["near"][row], math.exp(-4 * math.hypot(*relative)), abs_tol=1e-12)
        into = min((math.dist(place[a], place[b]), a) for a, b, other in edges if b == end and other == kind)
        out_of = min((math.dist(place[a], place[b]), b) for a, b, other in edges if a == source and other == kind)
        assert seen["nearest"][row].tolist() == [into[1] == source, out_of[1] == end]


def test_who_is_as_near_as_another_is_nearest_too() -> None:
    graph = crowd.crowd(torch.tensor([1]), torch.tensor([2]))
    seen = crowd.sight(graph.with_nodes(position=torch.tensor([[0.0, 0], [1, 0], [-1, 0]])))
    assert seen["nearest"].all()
