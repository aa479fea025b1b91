"""Whole episodes of a batch are those of its graphs, one at a time."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass, field

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from environments import ENVIRONMENTS
from graphwright.core import GraphBatch, Observation, Step, from_edges
from graphwright.core.segment import segment_argmax
from graphwright.envs.environment import Environment
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.envs.rollouts import has_choice, play, repeat_each, unroll, until_done
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


@dataclass(frozen=True)
class Counted(VertexCover):
    """Counts the states that are alive whenever a step is taken."""

    alive: list[weakref.ref[GraphBatch]] = field(default_factory=list)
    most: list[int] = field(default_factory=lambda: [0])

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        gc.collect()
        self.alive[:] = [one for one in self.alive if one() is not None] + [weakref.ref(step.state)]
        self.most[0] = max(self.most[0], len(self.alive))
        return step


def test_play_holds_few_states_however_long_episodes_are() -> None:
    """A path of 200 nodes takes about a hundred steps."""
    environment, steps = VertexCover(), 0
    path = from_edges(torch.stack([torch.arange(199), torch.arange(1, 200)]), torch.tensor([200]), undirected=True)
    instances = environment.instance(path)
    for transition in unroll(environment, environment.reset(instances), random_choice(environment, seeded())):
        steps += transition.episode.numel()
    assert steps > 60
    counted = Counted()
    gc.freeze()  # what other tests have left need not be looked through at every step
    play(counted, instances, random_choice(counted, seeded()))
    gc.unfreeze()
    assert counted.most[0] <= 3


def test_an_action_may_finish_an_episode_without_a_step() -> None:
    """Three counters that go up to 0, 2 and 1, and then finish."""
    goal = torch.tensor([0, 2, 1])
    counters = GraphBatch(torch.empty(2, 0, dtype=torch.int64), *[torch.zeros(4, dtype=torch.int64)] * 2)
    counters = counters.with_graphs(count=torch.zeros(3, dtype=torch.int64))

    def act(episode: Tensor, state: GraphBatch) -> Tensor:
        return torch.where(state.graphs["count"] < goal[episode], 1, -1)

    def step(state: GraphBatch, action: Tensor) -> Step:
        nothing = torch.zeros_like(action, dtype=torch.bool)
        counted = state.with_graphs(count=state.graphs["count"] + action)
        return Step(counted, action.float(), nothing, nothing)

    transitions = list(until_done(counters, act, step, finishes=lambda action: action < 0))
    assert [one.episode.tolist() for one in transitions] == [[0, 1, 2], [1, 2], [1]]
    assert [one.action.tolist() for one in transitions] == [[-1, 1, 1], [1, -1], [-1]]
    assert [one.state.graphs["count"].tolist() for one in transitions] == [[0, 0, 0], [1, 1], [2]]
    assert [None if one.step is None else one.step.state.num_graphs for one in transitions] == [2, 1, None]
