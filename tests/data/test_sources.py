"""Sources: the position is all the memory there is."""

from __future__ import annotations

from itertools import pairwise

import torch
from hypothesis import given
from hypothesis import strategies as st

from graphwright.core import GraphBatch, from_edges
from graphwright.data.sources import FixedInstances, GeneratedInstances
from graphwright.envs.generators import ErdosRenyi, InstanceGenerator
from strategies import alone, assert_same_batch, ragged_batches, seeds

GENERATE = InstanceGenerator(ErdosRenyi(0.5), sizes=(5, 6))
draws = st.lists(st.integers(0, 9), min_size=1, max_size=5)


def generated(seed: int = 0) -> GeneratedInstances:
    return GeneratedInstances(GENERATE, seed, block=4)


@given(draws)
def test_how_the_stream_is_cut_makes_no_difference(counts: list[int]) -> None:
    whole, pieces = generated(), generated()
    drawn = [pieces.draw(count) for count in counts]
    assert [batch.num_graphs for batch in drawn] == counts
    assert_same_batch(GraphBatch.concat(drawn), whole.draw(sum(counts)))


@given(draws, draws)
def test_a_restored_position_goes_on_the_same(before: list[int], after: list[int]) -> None:
    source, restored = generated(), generated()
    for count in before:
        source.draw(count)
    restored.load_state_dict(source.state_dict())
    assert source.state_dict() == {"position": sum(before)}
    for count in after:
        assert_same_batch(restored.draw(count), source.draw(count))


@given(draws)
def test_going_back_gives_the_same_again(counts: list[int]) -> None:
    source = generated()
    drawn = source.draw(sum(counts))
    source.load_state_dict({"position": 0})
    assert_same_batch(source.draw(sum(counts)), drawn)


@given(seeds, st.integers(1, 5))
def test_different_seeds_and_different_blocks_differ(seed: int, other: int) -> None:
    weights = [generated(some).draw(12).nodes["weight"] for some in (seed, seed + other)]
    assert not torch.isin(*weights).any()
    blocks = generated(seed).draw(12)
    parts = [blocks.select(torch.arange(start, start + 4)).nodes["weight"] for start in (0, 4, 8)]
    assert not any(torch.isin(*pair).any() for pair in pairwise(parts))


@given(ragged_batches(graphs=(1, 5)), seeds, st.integers(1, 3))
def test_a_data_set_is_drawn_whole_each_time_round(instances: GraphBatch, seed: int, rounds: int) -> None:
    count = instances.num_graphs
    instances = instances.with_graphs(row=torch.arange(count))
    source = FixedInstances(instances, seed)
    for _ in range(rounds):
        drawn = source.draw(count)
        assert sorted(drawn.graphs["row"].tolist()) == list(range(count))
        for index, row in enumerate(drawn.graphs["row"].tolist()):
            assert_same_batch(alone(drawn, index), alone(instances, row))


@given(st.integers(0, 20), st.integers(1, 10))
def test_a_data_set_goes_on_where_it_stopped(before: int, after: int) -> None:
    instances = generated().draw(6)
    source, restored = FixedInstances(instances, 3), FixedInstances(instances, 3)
    source.draw(before)
    restored.load_state_dict(source.state_dict())
    assert_same_batch(restored.draw(after), source.draw(after))


def test_each_round_has_an_order_of_its_own() -> None:
    instances = generated().draw(20).with_graphs(row=torch.arange(20))
    source = FixedInstances(instances, 0)
    orders = [tuple(source.draw(20).graphs["row"].tolist()) for _ in range(5)]
    assert len(set(orders)) == 5


def test_drawing_nothing_costs_no_block() -> None:
    """A step on which no episode ends draws nothing; once that generated the first block anew every time."""
    calls = []

    def generate(count: int, generator: torch.Generator) -> GraphBatch:
        calls.append(count)
        return InstanceGenerator(ErdosRenyi(0.5), (5,))(count, generator)

    source = GeneratedInstances(generate, seed=0, block=4)
    source.draw(6)
    generated = len(calls)
    for _ in range(3):
        assert source.draw(0).num_graphs == 0
        source.draw(0)
    assert len(calls) == generated


def test_the_largest_of_what_comes_is_drawn_all_the_same() -> None:
    sizes = [3, 9, 5, 9, 4]
    data = from_edges(torch.zeros(2, 0, dtype=torch.int64), torch.tensor(sizes), undirected=True)
    source = FixedInstances(data, seed=0)
    assert source.largest().node_segments.lengths.tolist() == [9]
    assert sorted(source.draw(5).node_segments.lengths.tolist()) == sorted(sizes)
