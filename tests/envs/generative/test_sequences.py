"""Sequences: their laws on all short ones, and the motif reward against Python's own counting."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from flow_walk import walk
from graphwright.core import GraphBatch, from_edges
from graphwright.envs.conformance import check_environment
from graphwright.envs.generative.environment import blank
from graphwright.envs.generative.motifs import Motifs
from graphwright.envs.generative.sequences import Sequences
from graphwright.nn.columns import node_columns, node_width
from strategies import assert_same_batch

sequences = st.lists(st.lists(st.integers(0, 2), max_size=9), min_size=1, max_size=6)


def tokens(states: GraphBatch) -> list[tuple[int, ...]]:
    parts = states.nodes["type"].split(states.node_segments.lengths.tolist())
    return [tuple(part.tolist()) for part in parts]


def written(environment: Sequences, texts: list[list[int]]) -> GraphBatch:
    """The states in which `texts` stand."""
    states = []
    for text in texts:
        state = environment.reset(blank(1))
        for token in text:
            state = environment.advance(state, torch.tensor([token + 1])).state
        states.append(state)
    return GraphBatch.concat(states)


@pytest.mark.parametrize(("vocabulary", "max_length"), [(3, 4), (2, 6), (5, 1)])
def test_every_sequence_is_reached_once_and_can_be_taken_back(vocabulary: int, max_length: int) -> None:
    states, ways = walk(Sequences(vocabulary, max_length), blank(1), tokens)
    assert states.num_graphs == sum(vocabulary**length for length in range(max_length + 1))
    assert set(ways.values()) == {1}


def test_they_conform() -> None:
    check_environment(Sequences(3, 6), blank(20).with_graphs(beta=torch.arange(20.0)))


def test_a_state_is_the_path_of_its_tokens() -> None:
    environment = Sequences(3, 9)
    texts = [[0, 1, 2, 0, 0], [], [1], [2, 2]]
    pairs = torch.tensor([[0, 1, 2, 3, 6], [1, 2, 3, 4, 7]])
    lengths = torch.tensor([5, 0, 1, 2])
    path = from_edges(pairs, lengths, undirected=True, nodes={"type": torch.tensor([0, 1, 2, 0, 0, 1, 2, 2])})
    assert_same_batch(written(environment, texts), path)


def test_whoever_is_at_the_greatest_length_may_only_stop() -> None:
    environment = Sequences(3, 2)
    stop, append = environment.observe(written(environment, [[0, 1], [0]])).masks
    assert stop.tolist() == [True, True]
    assert append.tolist() == [[False] * 3, [True] * 3]


def test_graph_columns_stay_and_walkers_do_not_meet() -> None:
    environment = Sequences(4, 5)
    state = environment.reset(blank(2).with_graphs(beta=torch.tensor([1.0, 2.0])))
    state = environment.advance(state, torch.tensor([4, 1])).state
    assert state.graphs["beta"].tolist() == [1, 2]
    assert tokens(state) == [(3,), (0,)]


def test_a_network_sees_tokens_and_places() -> None:
    environment = Sequences(2, 3)
    observed = environment.observe(written(environment, [[1, 0], []])).graph
    columns = node_columns(environment.features, observed)
    assert columns.shape[1] == node_width(environment.features)
    # position, last, length, token
    expected = [[1, 0, 0, 0, 2 / 3, 0, 1], [0, 1, 0, 1, 2 / 3, 1, 0]]
    torch.testing.assert_close(columns, torch.tensor(expected))
    assert observed.graphs["length"].tolist() == pytest.approx([2 / 3, 0])


@given(sequences, st.lists(st.text("abc", min_size=1, max_size=4), min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_motifs_are_counted_as_by_str_count(texts: list[list[int]], motifs: list[str]) -> None:
    reward = Motifs(tuple(tuple("abc".index(letter) for letter in motif) for motif in motifs))
    states = written(Sequences(3, 9), texts)
    spelt = ["".join("abc"[token] for token in text) for text in texts]
    assert reward.counts(states).tolist() == [[text.count(motif) for motif in motifs] for text in spelt]


def test_the_reward_of_the_published_task() -> None:
    environment, reward = Sequences(3, 10), Motifs()
    # "aaa" and "aabbcc"; at most five pairs fit into ten places; "abc" has none
    states = written(environment, [[0, 0, 0], [0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2, 0, 0, 1, 1], [0, 1, 2], []])
    log_reward = reward(environment, states)
    assert log_reward.dtype == torch.float64
    assert log_reward.tolist() == pytest.approx([math.log(1 / 5), math.log(3 / 5), 0, *[math.log(1e-30)] * 2])
    assert torch.equal(Motifs(beta=2)(environment, states), 2 * log_reward)
    assert reward(environment, states.select(torch.tensor([4]))).tolist() == pytest.approx([math.log(1e-30)])
    assert reward(environment, environment.reset(blank(0))).shape == (0,)


def test_options_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match=r"--environment\.vocabulary 1: give at least 2"):
        Sequences(1, 3)
    with pytest.raises(ValueError, match=r"--environment\.max-length 0: give at least 1"):
        Sequences(3, 0)
    with pytest.raises(ValueError, match="one motif or more"):
        Motifs(((),))
    with pytest.raises(ValueError, match="floor"):
        Motifs(floor=0)
