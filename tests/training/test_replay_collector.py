"""The collector with a memory: what it remembers is what a loop over the episodes says; exploration is legal."""

from __future__ import annotations

from collections import defaultdict

import pytest
import torch
from torch import Tensor

from decision_environments import ENVIRONMENTS as DECIDING
from environments import small_actor_critic
from graphwright.core import GraphBatch
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.generators import ErdosRenyi, InstanceGenerator
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.envs.rollouts import unroll
from graphwright.envs.vector import VectorEnvironment
from graphwright.training.collectors.replay import ExploringReplayConfig, ReplayConfig
from graphwright.training.collectors.replay_collector import ReplayCollector
from graphwright.training.exploration import EpsilonConfig, EpsilonGreedy
from strategies import seeded

GENERATE = InstanceGenerator(ErdosRenyi(p=0.5), sizes=(2, 4, 6))


def vector_of(environment: VertexCover, num_envs: int) -> VectorEnvironment:
    return VectorEnvironment(environment, GeneratedInstances(GENERATE, seed=0, block=16), num_envs)


def key_of(state: GraphBatch) -> tuple[object, ...]:
    return (*state.nodes["weight"].tolist(), *state.nodes["selected"].tolist())


@pytest.mark.parametrize("n_step", [1, 2, 3])
def test_transitions_are_those_of_a_loop_over_episodes(n_step: int) -> None:
    """A policy that is the same in every state: played again alone, each episode gives the same rewards."""
    environment = VertexCover()
    policy = small_actor_critic(environment)
    vector = vector_of(environment, 3)
    first = vector.state
    config = ReplayConfig(num_envs=3, num_steps=5, warm_up=0, capacity=100)
    collector = ReplayCollector(vector, config, n_step, seeded())
    collector.behaviour = lambda policy, observation, generator: (policy.best(observation), None)
    collector.collect(policy)

    seen: dict[tuple[object, ...], tuple[list[float], tuple[object, ...], bool]] = {}
    for row in range(3):
        states, rewards = [], []
        start = first.select(torch.tensor([row]))
        for transition in unroll(environment, start, policy.best):
            states.append(transition.state)
            rewards.append(float(transition.reward))
        for at in range(min(len(states), 5)):
            last = min(at + n_step, 5, len(states))
            ends = last == len(states)
            seen[key_of(states[at])] = (rewards[at:last], () if ends else key_of(states[last]), ends)
    found = collector.replay.select(collector.replay.ids)
    matched = 0
    for row in range(len(collector.replay)):
        one = torch.tensor([row])
        key = key_of(found.state.select(one))
        if key not in seen:  # of an episode that began later
            continue
        matched += 1
        rewards, following, ends = seen[key]
        length = int(found.columns["length"][row])
        assert length == len(rewards)
        assert found.columns["reward"][row].tolist() == pytest.approx(rewards + [0.0] * (n_step - length))
        assert bool(found.columns["terminated"][row]) == ends
        assert ends or key_of(found.next_state.select(one)) == following
    assert matched == len(seen)


def test_what_is_missing_of_the_warm_up_is_played_before_anything_is_learned() -> None:
    environment = VertexCover()
    config = ReplayConfig(num_envs=3, num_steps=2, warm_up=20, capacity=100)
    collector = ReplayCollector(vector_of(environment, 3), config, 1, seeded())
    assert collector.steps_before_learning == 20
    assert collector.collect(small_actor_critic(environment)).num_steps == 24
    assert collector.steps_before_learning == 0


def test_a_warm_up_beyond_the_memory_comes_to_its_end() -> None:
    """It waited for ever, as the oldest gave way before there were enough."""
    environment = VertexCover()
    config = ReplayConfig(num_envs=3, num_steps=2, warm_up=200, capacity=400)
    collector = ReplayCollector(vector_of(environment, 3), config, 1, seeded())
    collector.replay.memory.max_bytes = 4_000
    assert collector.collect(small_actor_critic(environment)).num_steps == 204
    assert 0 < len(collector.replay) < 200


@pytest.mark.parametrize("name", DECIDING)
def test_deciders_keep_their_actions_rewards_and_successors(name: str) -> None:
    environment, draw = DECIDING[name]
    policy = small_actor_critic(environment)
    vector = VectorEnvironment(environment, GeneratedInstances(draw, 0), 4)
    played: dict[int, list[Tensor]] = defaultdict(list)
    step = vector.step

    def watched(action: Tensor):
        played[0].append(action)
        return step(action)

    vector.step = watched  # type: ignore[method-assign]
    collector = ReplayCollector(vector, ReplayConfig(num_envs=4, num_steps=3, warm_up=0, capacity=50), 1, seeded())
    collector.collect(policy)
    found = collector.replay.select(collector.replay.ids)
    decisions = found.groups["decisions"]
    assert torch.equal(decisions.columns["action"], torch.cat(played[0]))
    assert torch.equal(decisions.segments.ptr, environment.actions.deciders(environment.observe(found.state).graph).ptr)
    if "successor" in decisions.columns:
        going = ~found.columns["terminated"][decisions.segments.index] & (decisions.columns["successor"] >= 0)
        after = environment.actions.deciders(environment.observe(found.next_state).graph).lengths
        assert bool((decisions.columns["successor"] < after[decisions.segments.index])[going].all())


def test_it_goes_on_as_if_never_stopped() -> None:
    environment = VertexCover()
    policy = small_actor_critic(environment)
    config = ExploringReplayConfig(num_envs=4, num_steps=3, warm_up=12, capacity=30, minibatch_size=8, priority=0.5)

    def collector(generator: torch.Generator) -> ReplayCollector:
        source = GeneratedInstances(GENERATE, seed=0, block=16)
        return ReplayCollector(VectorEnvironment(environment, source, 4), config, 2, generator, source)

    drawn, again = seeded(1), seeded(2)
    whole, other = collector(drawn), collector(again)
    whole.collect(policy)
    other.load_state_dict({name: tensor.clone() for name, tensor in whole.state_dict().items()})
    again.set_state(drawn.get_state())
    for _ in range(3):
        one, two = (list(each.collect(policy).batch) for each in (whole, other))
        for left, right in zip(one, two, strict=True):
            assert torch.equal(left.ids, right.ids)
            for name, column in left.columns.items():
                assert torch.equal(column, right.columns[name]), name
            for table in ("nodes", "edges", "graphs"):
                for name, column in getattr(left.state, table).items():
                    assert torch.equal(column, getattr(right.state, table)[name]), name


def test_exploration_is_legal_and_as_frequent_as_said() -> None:
    """Episode i of N tries something else with probability ε^(1 + 7 i / (N − 1)); the others take the best."""
    environment = VertexCover()
    policy = small_actor_critic(environment)
    observation = environment.observe(environment.reset(GENERATE(8, seeded(1)).select(torch.zeros(3000).long())))
    behave = EpsilonGreedy(EpsilonConfig(epsilon=0.5), 3000)
    action, _ = behave(policy, observation, seeded())
    distribution = policy.distribution(observation)
    assert bool(distribution.log_prob(action).isfinite().all())
    legal = int(distribution.legal.sum()) // 3000
    other = action != policy.best(observation)
    expected = behave.epsilon * (1 - 1 / legal)
    for part in (slice(0, 300), slice(2000, 3000)):
        assert float(other[part].float().mean()) == pytest.approx(float(expected[part].mean()), abs=0.09)
    assert behave.epsilon[0] == 0.5
    assert float(behave.epsilon[-1]) == pytest.approx(0.5**8)
    drawn, _ = EpsilonGreedy(EpsilonConfig(epsilon=0.0, temperature=1.0), 3000)(policy, observation, seeded(2))
    count = torch.bincount(drawn, minlength=observation.graph.num_nodes // 3000) / 3000
    torch.testing.assert_close(count, distribution.probs[: len(count)], atol=0.03, rtol=0)
