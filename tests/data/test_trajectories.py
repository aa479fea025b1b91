"""The layout of trajectories: what was seen step by step, put in order by who saw it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphwright.core import GraphBatch, Segments
from graphwright.data.states import WholeStates
from graphwright.data.trajectories import Trajectories
from graphwright.envs.generative.grid import axes
from strategies import assert_same, assert_same_batch, seeded, seeds


def numbered(walker: int, steps: int) -> GraphBatch:
    """States whose graph column says who was there and when."""
    return axes(steps, 2).with_graphs(walker=torch.full((steps,), walker), time=torch.arange(steps))


@st.composite
def walks(draw: st.DrawFn) -> tuple[list[int], Trajectories]:
    """Lengths, and the trajectories of walkers that stop at different times, seen step by step."""
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    whole = [numbered(walker, steps) for walker, steps in enumerate(lengths)]
    walkers, states, forward, backward = [], [], [], []
    for time in range(max(lengths)):
        here = [walker for walker, steps in enumerate(lengths) if time < steps]
        walkers.append(torch.tensor(here))
        states.append(GraphBatch.concat([whole[walker].select(torch.tensor([time])) for walker in here]))
        forward += [100 * walker + time for walker in here]
        backward += [100 * walker + time - 1 for walker in here]
    return lengths, Trajectories.of(walkers, states, torch.tensor(forward), torch.tensor(backward))


@given(walks())
def test_rows_are_grouped_by_walker_and_in_the_order_of_time(drawn: tuple[list[int], Trajectories]) -> None:
    lengths, found = drawn
    expected = [(walker, time) for walker, steps in enumerate(lengths) for time in range(steps)]
    assert found.num_trajectories == len(lengths)
    assert found.segments.lengths.tolist() == lengths
    columns = found.states.graphs["walker"].tolist(), found.states.graphs["time"].tolist()
    assert list(zip(*columns, strict=True)) == expected
    assert found.forward.tolist() == [100 * walker + time for walker, time in expected]
    assert found.backward.tolist() == [100 * walker + time - 1 for walker, time in expected]
    assert found.initial.graphs["time"].tolist() == [0] * len(lengths)
    assert found.objects.graphs["time"].tolist() == [steps - 1 for steps in lengths]
    assert found.objects.graphs["walker"].tolist() == list(range(len(lengths)))


@given(walks(), seeds)
def test_concat_of_single_trajectories_is_the_whole(drawn: tuple[list[int], Trajectories], seed: int) -> None:
    lengths, found = drawn
    single = [found.select(torch.tensor([place])) for place in range(len(lengths))]
    assert_same_trajectories(Trajectories.concat(single), found)
    order = torch.randint(len(lengths), (4,), generator=seeded(seed))
    assert_same_trajectories(found.select(order), Trajectories.concat([single[place] for place in order.tolist()]))


def assert_same_trajectories(one: Trajectories, other: Trajectories) -> None:
    assert_same_batch(one.states, other.states)
    assert_same(one.segments.ptr, other.segments.ptr)
    assert_same(one.forward, other.forward)
    assert_same(one.backward, other.backward)


def test_a_walker_that_was_nowhere_is_refused() -> None:
    walkers, states = [torch.tensor([0, 2])], [axes(2, 2)]
    with pytest.raises(ValueError, match="at least its initial state"):
        Trajectories.of(walkers, states, torch.zeros(2), torch.zeros(2))


def test_groups_may_be_told_from_rows() -> None:
    table, segments = WholeStates(numbered(0, 3)), Segments(torch.tensor([0, 1, 3]))
    found = Trajectories(table, segments, torch.arange(3), torch.arange(3))
    assert found.objects.graphs["time"].tolist() == [0, 2]
    assert found.initial.graphs["time"].tolist() == [0, 1]
