"""Every kind of action goes through collection, storage and every algorithm."""

from __future__ import annotations

import pytest
import torch

from environments import KINDS, small_actor_critic
from graphwright.algorithms.ppo import PPO, PPOConfig
from graphwright.algorithms.reinforce import Reinforce, ReinforceConfig
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.conformance import check_environment
from graphwright.envs.environment import Environment
from graphwright.envs.generators import InstanceGenerator, WattsStrogatz
from graphwright.envs.problem import random_choice
from graphwright.envs.rollouts import play
from graphwright.envs.vector import VectorEnvironment
from graphwright.envs.wrappers.penalized import PenalizedOptimization
from graphwright.nn import GraphPolicy
from graphwright.training.collectors.episodes import collect_episodes
from graphwright.training.collectors.steps import collect_steps
from graphwright.training.decode import decode
from strategies import seeded

GENERATE = InstanceGenerator(WattsStrogatz(), (5, 6, 8))
every_kind = pytest.mark.parametrize("kind", KINDS)


def assert_stored(environment: Environment, policy: GraphPolicy, states, action, rows: int) -> None:
    """Each stored action is one that its stored state allows."""
    for row in range(rows):
        index = torch.tensor([row])
        state = states.select(index)
        state.validate()
        log_prob = policy.distribution(environment.observe(state)).log_prob(action.select(index))
        assert bool(log_prob.isfinite().all())


@every_kind
def test_the_environment_keeps_the_contract(kind: str) -> None:
    check_environment(KINDS[kind], GENERATE(6, seeded()))


@every_kind
def test_ppo_moves_every_parameter_and_its_log_probabilities_are_the_collected_ones(kind: str) -> None:
    environment = KINDS[kind]
    policy = small_actor_critic(environment)
    vector = VectorEnvironment(environment, GeneratedInstances(GENERATE, 0), 6)
    rollout = collect_steps(vector, policy, 5, seeded())
    assert_stored(environment, policy, rollout.states, rollout.action, rollout.num_steps)
    rows = torch.randperm(rollout.num_steps, generator=seeded())
    again = policy.distribution(environment.observe(rollout.states.select(rows))).log_prob(rollout.action.select(rows))
    torch.testing.assert_close(
        again.detach(), rollout.log_prob[rollout.action.decisions(rows)[0]], rtol=1e-4, atol=1e-4
    )
    before = {name: parameter.detach().clone() for name, parameter in policy.named_parameters()}
    # Two updates: where no last layer had a gradient to pass on at first, the layers before it move in the second.
    algorithm = PPO(policy, environment.observe, PPOConfig(minibatch_size=10, entropy_coefficient=0.01), seeded())
    for _ in range(2):
        metrics = algorithm.update(rollout, 0.0)
    assert all(bool(value.isfinite()) for value in metrics.values())
    stale = [name for name, parameter in policy.named_parameters() if torch.equal(parameter, before[name])]
    assert not stale


@every_kind
def test_reinforce_learns_from_whole_episodes(kind: str) -> None:
    environment = KINDS[kind]
    policy = small_actor_critic(environment)
    episodes = collect_episodes(environment, GENERATE(4, seeded()), 3, policy, seeded())
    assert_stored(environment, policy, episodes.states, episodes.action, episodes.num_steps)
    before = {name: parameter.detach().clone() for name, parameter in policy.actor.named_parameters()}
    algorithm = Reinforce(policy, environment.observe, ReinforceConfig(minibatch_size=7), seeded())
    for _ in range(2):
        metrics = algorithm.update(episodes, 0.0)
    assert all(bool(value.isfinite()) for value in metrics.values())
    assert not [name for name, parameter in policy.actor.named_parameters() if torch.equal(parameter, before[name])]


@pytest.mark.parametrize("kind", ["neighbours", "pairs", "hybrid"])
def test_penalties_go_with_every_discrete_kind(kind: str) -> None:
    check_environment(PenalizedOptimization(KINDS[kind], penalty=0.5), GENERATE(6, seeded()))


@every_kind
def test_every_kind_learns(kind: str) -> None:
    """After a few updates of REINFORCE the policy is better than random choice by five standard errors."""
    environment = KINDS[kind]
    policy, instances = small_actor_critic(environment), GENERATE(128, seeded(1))
    algorithm = Reinforce(policy, environment.observe, ReinforceConfig(learning_rate=1e-2), seeded())
    for update in range(40):
        algorithm.update(collect_episodes(environment, GENERATE(8, seeded(update)), 8, policy, seeded(update)), 0.0)
    learned = environment.objective(decode(policy, environment, instances))
    randomly = environment.objective(play(environment, instances, random_choice(environment, seeded())))
    difference = learned - randomly
    assert difference.mean() > 5 * difference.std() / len(difference) ** 0.5
