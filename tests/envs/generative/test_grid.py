"""The hyper-grid by hand: its rules, and its reward in plain Python, also on boundaries."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flow_walk import walk
from graphwright.core import GraphBatch, Segments
from graphwright.envs.generative.grid import COORDINATE, HyperGrid, axes, log_grid_reward
from graphwright.envs.generative.tasks.hyper_grid import GridReward, cells


def coordinates(states: GraphBatch) -> list[tuple[int, ...]]:
    parts = states.nodes[COORDINATE].split(states.node_segments.lengths.tolist())
    return [tuple(part.tolist()) for part in parts]


@pytest.mark.parametrize(("dimensions", "side"), [(1, 1), (1, 5), (2, 4), (3, 3)])
def test_every_cell_is_reached_in_every_order(dimensions: int, side: int) -> None:
    """Σ of steps over a product of factorials is how many ways lead to a cell."""
    states, ways = walk(HyperGrid(dimensions, side), axes(1, dimensions), coordinates)
    assert states.num_graphs == side**dimensions
    for cell, count in ways.items():
        assert count == math.factorial(sum(cell)) // math.prod(map(math.factorial, cell))


def test_a_walk_by_hand() -> None:
    environment = HyperGrid(2, 3)
    state = environment.reset(axes(2, 2))
    state, reverse = environment.advance(state, torch.tensor([1, 2]))
    assert (coordinates(state), reverse.tolist()) == ([(1, 0), (0, 1)], [0, 1])
    state, _ = environment.advance(state, torch.tensor([1, 1]))
    assert coordinates(state) == [(2, 0), (1, 1)]
    stop, forth = environment.observe(state).masks
    assert (stop.tolist(), forth.tolist()) == ([True, True], [False, True, True, True])
    assert environment.backward_masks(state)[0].tolist() == [True, False, True, True]
    seen = environment.observe(state).graph
    assert seen.nodes["axis"].tolist() == [[1, 0], [0, 1]] * 2
    assert seen.nodes[COORDINATE].tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 1, 0]]
    state, forward = environment.undo(state, torch.tensor([0, 1]))
    assert (coordinates(state), forward.tolist()) == ([(1, 0), (1, 0)], [1, 2])


def reward(cell: tuple[int, ...], side: int) -> float:
    """Bengio et al. 2021, eq. 12, with exact fractions."""
    distance = [abs(Fraction(x, max(side - 1, 1)) - Fraction(1, 2)) for x in cell]
    outer = all(d > Fraction(1, 4) for d in distance)
    ring = all(Fraction(3, 10) < d < Fraction(4, 10) for d in distance)
    return 0.1 + 0.5 * outer + 2 * ring


@given(st.integers(2, 41), st.integers(1, 3), st.data())
def test_the_reward_is_that_of_the_paper(side: int, dimensions: int, data: st.DataObject) -> None:
    cell = st.tuples(*[st.integers(0, side - 1)] * dimensions)
    some = data.draw(st.lists(cell, min_size=1, max_size=20))
    found = log_grid_reward(torch.tensor(some).flatten(), Segments(torch.arange(len(some) + 1) * dimensions), side)
    assert found.dtype == torch.float64
    assert found.exp().tolist() == pytest.approx([reward(one, side) for one in some])


def test_the_modes_of_eight_by_eight() -> None:
    environment = HyperGrid(2, 8)
    grid = torch.cartesian_prod(torch.arange(8), torch.arange(8))
    states = environment.reset(axes(64, 2)).with_nodes(**{COORDINATE: grid.flatten()})
    best = GridReward()(environment, states).exp() > 2.5
    assert [tuple(cell) for cell in grid[best].tolist()] == [(1, 1), (1, 6), (6, 1), (6, 6)]
    assert (cells(environment, states)["states"] == grid.numpy()).all()
    low = GridReward(low=1.0, plateau=0.0, peak=0.0)(environment, states)
    assert low.tolist() == [0.0] * 64
