"""Live episodes: those that are done begin anew, those that are not go on as if alone."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from environments import ENVIRONMENTS, PAIR, Walk
from graphwright.core import GraphBatch, GraphError, from_edges
from graphwright.data.sources import FixedInstances
from graphwright.envs.environment import Environment
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.envs.rollouts import has_choice
from graphwright.envs.vector import VectorEnvironment, draw_playable
from strategies import alone, assert_same, assert_same_batch, cover_instances, seeded, seeds

environments = st.sampled_from(list(ENVIRONMENTS.values()))


class Again:
    """A source of the same instance again and again."""

    def __init__(self, instance: GraphBatch) -> None:
        self.instance = instance

    def draw(self, count: int) -> GraphBatch:
        return self.instance.select(torch.zeros(count, dtype=torch.int64))


def make_vector(environment: Environment, instances: GraphBatch, seed: int) -> VectorEnvironment:
    """Three live episodes of `instances`, and of one that leaves a choice."""
    return VectorEnvironment(environment, FixedInstances(GraphBatch.concat([instances, PAIR]), seed), num_envs=3)


def each(batch: GraphBatch) -> list[GraphBatch]:
    return [alone(batch, index) for index in range(batch.num_graphs)]


@given(environments, cover_instances(), seeds)
def test_done_episodes_begin_anew_and_the_others_go_on(
    environment: Environment, instances: GraphBatch, seed: int
) -> None:
    vector = make_vector(environment, instances, seed)
    choose = random_choice(environment, seeded(seed))
    for _ in range(5):
        before, live = vector.state, vector.instances
        action = choose(vector.observe())
        expected = environment.step(before, action)
        step = vector.step(action)
        done = expected.terminated | expected.truncated
        for name in ("reward", "terminated", "truncated"):
            assert_same(getattr(step, name), getattr(expected, name))
        assert_same_batch(step.final, expected.state.select(expected.truncated))
        assert_same_batch(vector.state.select(~done), expected.state.select(~done))
        assert_same_batch(vector.state.select(done), environment.reset(step.fresh))
        assert_same_batch(vector.instances.select(~done), live.select(~done))
        assert_same_batch(vector.instances.select(done), step.fresh)
        vector.state.validate()


@given(environments, cover_instances(), seeds)
def test_every_live_episode_has_a_choice(environment: Environment, instances: GraphBatch, seed: int) -> None:
    vector = make_vector(environment, instances, seed)
    choose = random_choice(environment, seeded(seed))
    for _ in range(4):
        observation = vector.observe()
        assert observation.graph.num_graphs == 3
        assert has_choice(environment, observation).all()
        vector.step(choose(observation))


@given(cover_instances(), seeds)
def test_a_live_episode_is_that_of_its_instance_alone(instances: GraphBatch, seed: int) -> None:
    environment = Walk(limit=10)
    vector = make_vector(environment, instances, seed)
    choose, states = random_choice(environment, seeded(seed)), each(vector.state)
    for _ in range(4):
        action = choose(vector.observe())
        states = [environment.step(state, action[[index]]).state for index, state in enumerate(states)]
        step = vector.step(action)
        for index in step.terminated.nonzero().squeeze(1).tolist():
            states[index] = alone(vector.state, index)  # a new one
        for index, state in enumerate(states):
            assert_same_batch(alone(vector.state, index), state)


def test_truncated_episodes_hand_out_their_last_state() -> None:
    vector, finals = VectorEnvironment(Walk(), Again(PAIR), num_envs=2), []
    for action in ([0, 0], [0, 1], [0, 0], [0, 0], [0, 0]):  # node 1 ends the episode
        step = vector.step(torch.tensor(action))
        finals.append([graph.nodes["visits"].tolist() for graph in each(step.final)])
    assert finals == [[], [], [[3, 0]], [], [[3, 0]]]
    assert [graph.nodes["visits"].tolist() for graph in each(vector.state)] == [[2, 0], [0, 0]]
    assert vector.state.graphs["time"].tolist() == [2, 0]


def test_instances_that_never_leave_a_choice_are_refused() -> None:
    edgeless = from_edges(torch.zeros(2, 0), torch.tensor([2]), undirected=True, nodes={"weight": torch.ones(2)})
    with pytest.raises(ValueError, match="nothing to decide"):
        VectorEnvironment(VertexCover(), Again(edgeless), num_envs=2)


def test_what_does_not_fit_is_drawn_again() -> None:
    star = from_edges(
        torch.tensor([[0, 0], [1, 2]]), torch.tensor([3]), undirected=True, nodes={"weight": torch.ones(3)}
    )
    source = FixedInstances(GraphBatch.concat([star, PAIR]), 0)
    instances, state = draw_playable(VertexCover(), source, 6, lambda drawn, _: drawn.node_segments.lengths < 3)
    assert instances.node_segments.lengths.tolist() == [2] * 6
    assert_same_batch(state, VertexCover().reset(instances))
    with pytest.raises(GraphError, match="too little room"):
        draw_playable(VertexCover(), source, 1, lambda drawn, _: drawn.node_segments.lengths > 3)
