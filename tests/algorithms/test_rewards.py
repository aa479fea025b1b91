"""Average rewards: numbers by hand, and advantages against a loop through truncations."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from environments import small_actor_critic
from graphwright.algorithms.a2c import A2CConfig
from graphwright.algorithms.ppo import PPO, PPOConfig
from graphwright.algorithms.rewards import DifferentialRewards
from graphwright.core.segment import Segments
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER
from graphwright.envs.queueing.single_hop.environment import SINGLE_HOP
from graphwright.envs.vector import VectorEnvironment
from graphwright.functional.returns import generalized_advantage
from graphwright.training.collectors.steps import StepsConfig, collect_steps
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.train import new_run
from strategies import seeded


def test_the_average_reward_by_hand() -> None:
    """Rewards 2 and 4: ρ begins with 3; δ = (2 − 3 + 1 − 0, 4 − 3 + 0 − 2) = (0, −1), so ρ = 3 − 0.1 · ½."""
    rewards = DifferentialRewards(step=0.1)
    reward, value, next_value = torch.tensor([2.0, 4.0]), torch.tensor([0.0, 2.0]), torch.tensor([1.0, 0.0])
    above = rewards.above(reward)
    assert above.tolist() == [-1.0, 1.0]
    # Two steps of one episode: A₁ = −1, A₀ = 0 + ½ · (−1).
    advantage = generalized_advantage(
        above, value, next_value, torch.tensor([1, -1]), Segments(torch.arange(3)), discount=1.0, gae_lambda=0.5
    )
    assert advantage.tolist() == [-0.5, -1.0]
    rewards.learn(reward, next_value, value)
    assert float(rewards.rate) == pytest.approx(2.95)
    again = DifferentialRewards(step=0.1)
    again.load_state_dict(rewards.state_dict())
    assert again.above(reward).tolist() == pytest.approx([-0.95, 1.05])


def test_advantages_are_those_of_a_loop_and_truncation_bootstraps() -> None:
    environment = replace(SINGLE_HOP.environment, horizon=3)
    policy = small_actor_critic(environment)
    vector = VectorEnvironment(environment, GeneratedInstances(SINGLE_HOP.generator(None, (3,)), 0), 2)
    rollout = collect_steps(vector, policy, 8, seeded())
    assert rollout.truncated.sum() == 4
    assert not rollout.terminated.any()
    config = PPOConfig(returns="average", gae_lambda=0.7, rate_step=0.25)
    algorithm = PPO(policy, environment.observe, config, seeded())
    advantage, _, metrics = algorithm.advantages(rollout)
    rate = rollout.reward.double().mean()
    with torch.no_grad():
        rows = torch.arange(rollout.states.num_states)
        value = policy.value(environment.observe(rollout.states.select(rows)))
    deltas = []
    for episode in range(2):
        after = 0.0
        for step in reversed(range(8)):
            here, there = value[2 * step + episode], value[rollout.next_row[step, episode]]
            delta = rollout.reward[step, episode] - rate + there - here
            after = delta + 0.7 * (0.0 if rollout.truncated[step, episode] else after)
            deltas.append(float(delta))
            assert float(advantage[2 * step + episode]) == pytest.approx(float(after), abs=1e-4)
    assert float(metrics["average_reward"]) == pytest.approx(float(rate) + 0.25 * sum(deltas) / 16, abs=1e-4)
    assert torch.equal(algorithm.state_dict()["rewards.rate"], metrics["average_reward"])


def test_episodes_that_end_have_no_average() -> None:
    for name, settings in (("ppo", PPOConfig(returns="average")), ("a2c", A2CConfig(returns="average"))):
        config = TrainConfig.for_problem(VERTEX_COVER, name, settings=settings)
        with pytest.raises(ConfigError, match=f"--{name}.returns average: the episodes of vertex-cover end"):
            new_run(VERTEX_COVER, config, "never-written")


def test_copies_meet_the_same_arrivals_and_are_compared() -> None:
    environment = replace(SINGLE_HOP.environment, horizon=5, initial_queue=9)
    source = GeneratedInstances(SINGLE_HOP.generator(None, (3,)), 0)
    collector = StepsConfig(num_envs=6, num_steps=12, copies=3).collector(SINGLE_HOP, environment, source, seeded())
    policy = small_actor_critic(environment)
    rollout = collector.collect(policy).batch
    assert rollout.copies == 3
    arrived = rollout.states.select(torch.arange(72)).graphs["arrived"].view(24, 3)
    assert torch.equal(arrived, arrived[:, :1].expand(-1, 3))
    advantage, _, _ = PPO(policy, environment.observe, PPOConfig(), seeded()).advantages(rollout)
    assert advantage.view(24, 3).mean(1).abs().max() < 1e-3 * advantage.abs().max()
    with pytest.raises(ValueError, match="--copies 4: give a divisor of --num-envs, 6"):
        StepsConfig(num_envs=6, copies=4)
