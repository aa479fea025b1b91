"""Whole episodes of a batch are those of its graphs, one at a time."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from environments import ENVIRONMENTS
from graphwright.core import GraphBatch, Observation
from graphwright.core.segment import segment_argmax
from graphwright.envs.environment import Environment
from graphwright.envs.problem import random_choice
from graphwright.envs.rollouts import has_choice, play, repeat_each, unroll
from strategies import alone, assert_same, assert_same_batch, cover_instances, seeded, seeds

environments = st.sampled_from(list(ENVIRONMENTS.values()))


def heaviest(observation: Observation) -> Tensor:
    """A deterministic choice: the heaviest legal node, less 0.3 for each visit."""
    nodes = observation.graph.nodes
    worth = nodes["weight"] - 0.3 * nodes.get("visits", torch.zeros(()))
    return segment_argmax(worth.masked_fill(~observation.masks[0], -torch.inf), observation.graph.node_segments)


def playable(environment: Environment, instances: GraphBatch) -> GraphBatch:
    """The instances that are not over before they begin."""
    return instances.select(has_choice(environment, environment.observe(environment.reset(instances))))


def play_alone(environment: Environment, instance: GraphBatch) -> tuple[GraphBatch, list[float]]:
    """The last state of one graph and the rewards on the way, in a plain loop."""
    state, rewards = environment.reset(instance), []
    while bool(environment.observe(state).masks[0].any()):
        step = environment.step(state, heaviest(environment.observe(state)))
        state = step.state
        rewards.append(step.reward.item())
        if step.terminated or step.truncated:
            break
    return state, rewards


@given(environments, cover_instances())
def test_play_is_one_graph_at_a_time(environment: Environment, instances: GraphBatch) -> None:
    final = play(environment, instances, heaviest)
    assert final.num_graphs == instances.num_graphs
    for index in range(instances.num_graphs):
        expected, _ = play_alone(environment, alone(instances, index))
        assert_same_batch(alone(final, index), expected)


@given(environments, cover_instances())
def test_unroll_is_one_graph_at_a_time(environment: Environment, instances: GraphBatch) -> None:
    rewards: list[list[float]] = [[] for _ in range(instances.num_graphs)]
    for transition in unroll(environment, environment.reset(instances), heaviest):
        assert transition.state.num_graphs == transition.episode.numel() == transition.action.numel()
        for episode, reward in zip(transition.episode.tolist(), transition.step.reward.tolist(), strict=True):
            rewards[episode].append(reward)
    assert rewards == [play_alone(environment, alone(instances, index))[1] for index in range(instances.num_graphs)]


@given(environments, cover_instances(), seeds)
def test_each_moment_follows_from_the_one_before(environment: Environment, instances: GraphBatch, seed: int) -> None:
    before = None
    for transition in unroll(environment, environment.reset(instances), random_choice(environment, seeded(seed))):
        assert transition.episode.tolist() == sorted(set(transition.episode.tolist()))
        if before is not None:
            left = ~(before.step.terminated | before.step.truncated)
            assert_same(transition.episode, before.episode[left])
            assert_same_batch(transition.state, before.step.state.select(left))
        before = transition
    assert before is None or bool((before.step.terminated | before.step.truncated).all())


@given(environments, cover_instances())
def test_only_what_leaves_a_choice_is_played(environment: Environment, instances: GraphBatch) -> None:
    start = environment.reset(instances)
    choice = has_choice(environment, environment.observe(start))
    for index in range(instances.num_graphs):
        (mask,) = environment.observe(alone(start, index)).masks
        assert choice[index].item() == bool(mask.any())
    assert_same_batch(play(environment, instances.select(~choice), heaviest), start.select(~choice))


@given(cover_instances(), st.integers(0, 3))
def test_repeat_each_stands_copies_in_a_row(instances: GraphBatch, times: int) -> None:
    repeated = repeat_each(instances, times)
    assert repeated.num_graphs == times * instances.num_graphs
    for index in range(repeated.num_graphs):
        assert_same_batch(alone(repeated, index), alone(instances, index // times))


@given(environments, cover_instances(), seeds)
def test_a_random_choice_is_legal_and_every_legal_action_is_drawn(
    environment: Environment, instances: GraphBatch, seed: int
) -> None:
    start = environment.reset(repeat_each(playable(environment, instances), 100))
    action = random_choice(environment, seeded(seed))(environment.observe(start))
    node = start.node_ptr[:-1] + action
    (mask,) = environment.observe(start).masks
    assert mask[node].all()
    for first in range(0, start.num_graphs, 100):
        legal = mask[start.node_graph == first].nonzero().squeeze(1).tolist()
        assert set(action[first : first + 100].tolist()) == set(legal)
