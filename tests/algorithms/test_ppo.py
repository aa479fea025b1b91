"""PPO: advantages, losses and the step that follows equal a plain loop over samples."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from environments import ENVIRONMENTS, PAIR, small_actor_critic
from graphwright.algorithms.ppo import PPO, PPOConfig
from graphwright.core import GraphBatch
from graphwright.data.rollout import Rollout
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.environment import Environment
from graphwright.envs.generators import ErdosRenyi, InstanceGenerator
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.envs.vector import VectorEnvironment
from graphwright.nn import GraphPolicy
from graphwright.training.collectors.steps import collect_steps
from strategies import assert_same_batch, seeded

CONFIG = PPOConfig(
    epochs=1, minibatch_size=10_000, discount=0.9, gae_lambda=0.7, entropy_coefficient=0.01, target_kl=None
)
everywhere = pytest.mark.parametrize("name", ENVIRONMENTS)


def collect(environment: Environment, policy: GraphPolicy, num_envs: int = 4, num_steps: int = 9) -> Rollout:
    generate = InstanceGenerator(ErdosRenyi(p=0.5), sizes=(2, 4, 6))
    vector = VectorEnvironment(environment, GeneratedInstances(generate, seed=0, block=16), num_envs)
    return collect_steps(vector, policy, num_steps, seeded())


def disturb(policy: GraphPolicy) -> None:
    """Move the policy off the one that collected, so that ratios are not all 1."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter += 0.1 * torch.randn_like(parameter)


def state_at(rollout: Rollout, row: int) -> GraphBatch:
    return rollout.states.select(torch.tensor([row]))


def value_of(policy: GraphPolicy, environment: Environment, state: GraphBatch) -> float:
    return policy.value(environment.observe(state)).item()


def advantages_in_a_loop(
    policy: GraphPolicy, environment: Environment, rollout: Rollout, config: PPOConfig
) -> list[list[float]]:
    """[T][B] advantages: every value from one state alone, every next state from playing the action once more."""
    num_steps, num_envs = rollout.reward.shape
    advantage = [[0.0] * num_envs for _ in range(num_steps)]
    for env in range(num_envs):
        following = 0.0
        for t in reversed(range(num_steps)):
            state = state_at(rollout, t * num_envs + env)
            step = environment.step(state, rollout.action.select(torch.tensor([t * num_envs + env])))
            next_value = 0.0 if step.terminated else value_of(policy, environment, step.state)
            delta = step.reward.item() + config.discount * next_value - value_of(policy, environment, state)
            going_on = not (step.terminated or step.truncated)
            following = delta + config.discount * config.gae_lambda * going_on * following
            advantage[t][env] = following
    return advantage


def loss_in_a_loop(
    policy: GraphPolicy, environment: Environment, rollout: Rollout, config: PPOConfig, advantage: Tensor
) -> dict[str, Tensor]:
    """The parts of PPO's loss, sample by sample. advantage: [T · B]."""
    values = [value_of(policy, environment, state_at(rollout, row)) for row in range(rollout.num_steps)]
    target = advantage + torch.tensor(values)
    weight = (advantage - advantage.mean()) / advantage.std(correction=0)
    parts: dict[str, list[Tensor]] = {"policy_loss": [], "value_loss": [], "entropy": [], "kl": []}
    for row in range(rollout.num_steps):
        distribution, value = policy(environment.observe(state_at(rollout, row)))
        probs = distribution.probs[distribution.probs > 0]
        log_ratio = distribution.log_probs[int(rollout.action.values[row])] - rollout.log_prob[row]
        clipped = log_ratio.exp().clamp(1 - config.clip, 1 + config.clip)
        parts["policy_loss"].append(-torch.minimum(log_ratio.exp() * weight[row], clipped * weight[row]))
        parts["value_loss"].append(0.5 * (value[0] - target[row]) ** 2)
        parts["entropy"].append(-(probs * probs.log()).sum())
        parts["kl"].append(log_ratio.exp() - 1 - log_ratio)
    return {name: torch.stack(terms).mean() for name, terms in parts.items()}


@everywhere
def test_a_rollout_goes_on_from_step_to_step(name: str) -> None:
    environment = ENVIRONMENTS[name]
    rollout = collect(environment, small_actor_critic(environment))
    num_steps, num_envs = rollout.reward.shape
    assert rollout.terminated.any()
    assert rollout.truncated.any() == (name == "walk")
    for t in range(num_steps):
        for env in range(num_envs):
            step = environment.step(
                state_at(rollout, t * num_envs + env), rollout.action.select(torch.tensor([t * num_envs + env]))
            )
            for column in ("reward", "terminated", "truncated"):
                assert getattr(rollout, column)[t, env] == getattr(step, column)[0]
            if not step.terminated:
                assert_same_batch(state_at(rollout, int(rollout.next_row[t, env])), step.state)
            if not (step.terminated or step.truncated):
                assert rollout.next_row[t, env] == (t + 1) * num_envs + env


@everywhere
def test_collected_log_probabilities_are_those_of_the_policy(name: str) -> None:
    environment = ENVIRONMENTS[name]
    policy = small_actor_critic(environment)
    rollout = collect(environment, policy)
    for row, (action, log_prob) in enumerate(zip(rollout.action.values, rollout.log_prob, strict=True)):
        expected = policy.distribution(environment.observe(state_at(rollout, row))).log_probs[int(action)]
        torch.testing.assert_close(log_prob, expected.detach())


@everywhere
def test_advantages_equal_a_loop_over_graphs(name: str) -> None:
    environment = ENVIRONMENTS[name]
    policy = small_actor_critic(environment)
    rollout = collect(environment, policy)
    disturb(policy)
    for config in (CONFIG, replace(CONFIG, discount=1.0, gae_lambda=1.0, minibatch_size=7)):
        advantage, target, _ = PPO(policy, environment.observe, config, seeded()).advantages(rollout)
        expected = torch.tensor(advantages_in_a_loop(policy, environment, rollout, config)).flatten()
        torch.testing.assert_close(advantage, expected, rtol=1e-4, atol=1e-4)
        values = [value_of(policy, environment, state_at(rollout, row)) for row in range(rollout.num_steps)]
        torch.testing.assert_close(target, expected + torch.tensor(values), rtol=1e-4, atol=1e-4)


@everywhere
def test_an_update_is_the_step_of_a_loop_over_samples(name: str) -> None:
    environment = ENVIRONMENTS[name]
    policy = small_actor_critic(environment)
    rollout = collect(environment, policy)
    disturb(policy)
    other = copy.deepcopy(policy)
    metrics = PPO(policy, environment.observe, CONFIG, seeded()).update(rollout, progress=0.25)

    advantage = torch.tensor(advantages_in_a_loop(other, environment, rollout, CONFIG)).flatten()
    parts = loss_in_a_loop(other, environment, rollout, CONFIG, advantage)
    for part, expected in parts.items():
        torch.testing.assert_close(metrics[part], expected.detach(), rtol=1e-3, atol=1e-4)
    adam = torch.optim.Adam(other.parameters(), lr=0.75 * CONFIG.learning_rate, eps=1e-5)
    loss = parts["policy_loss"] + CONFIG.value_coefficient * parts["value_loss"]
    (loss - CONFIG.entropy_coefficient * parts["entropy"]).backward()
    norm = nn.utils.clip_grad_norm_(other.parameters(), CONFIG.max_grad_norm)
    adam.step()
    torch.testing.assert_close(metrics["grad_norm"], norm, rtol=1e-3, atol=1e-4)
    for ours, theirs in zip(policy.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0.02 * CONFIG.learning_rate)


def test_after_one_update_every_parameter_has_moved() -> None:
    environment = VertexCover()
    policy = small_actor_critic(environment)
    rollout = collect(environment, policy, num_envs=16)
    before = copy.deepcopy(policy)
    algorithm = PPO(policy, environment.observe, replace(CONFIG, minibatch_size=parts(rollout, 2)), seeded())
    algorithm.update(rollout, progress=0.0)
    optimized = {id(parameter) for group in algorithm.optimizer.adam.param_groups for parameter in group["params"]}
    for (name, parameter), old in zip(policy.named_parameters(), before.parameters(), strict=True):
        assert id(parameter) in optimized, name
        assert (parameter - old).abs().max() > 1e-5, name


def test_a_frozen_parameter_stays() -> None:
    environment = VertexCover()
    policy = small_actor_critic(environment)
    policy.encoder.embed.requires_grad_(False)
    before = copy.deepcopy(policy.encoder.embed.weight)
    PPO(policy, environment.observe, CONFIG, seeded()).update(collect(environment, policy), progress=0.0)
    assert torch.equal(policy.encoder.embed.weight, before)


def parts(rollout: Rollout, count: int) -> int:
    """The minibatch size that cuts a pass into `count` parts."""
    return -(-rollout.num_steps // count)


def gradient_steps(algorithm: PPO) -> int:
    return int(next(iter(algorithm.optimizer.adam.state.values()))["step"])


@pytest.mark.parametrize(("target_kl", "epochs"), [(None, 4), (1e30, 4), (1e-30, 1)])
def test_an_update_ends_where_the_policy_has_moved_far_enough(target_kl: float | None, epochs: int) -> None:
    environment = VertexCover()
    policy = small_actor_critic(environment)
    rollout = collect(environment, policy)
    config = replace(CONFIG, epochs=4, minibatch_size=parts(rollout, 3), target_kl=target_kl)
    algorithm = PPO(policy, environment.observe, config, seeded())
    algorithm.update(rollout, progress=0.0)
    assert gradient_steps(algorithm) == 3 * epochs


def test_every_sample_is_used_once_an_epoch() -> None:
    environment, seen = VertexCover(), []
    policy = small_actor_critic(environment)
    rollout = collect(environment, policy)
    algorithm = PPO(policy, environment.observe, replace(CONFIG, epochs=2, minibatch_size=parts(rollout, 5)), seeded())
    step = algorithm._step
    algorithm._step = lambda rollout, rows, *rest: (seen.append(rows), step(rollout, rows, *rest))[1]
    algorithm.update(rollout, progress=0.0)
    assert len(seen) == 10
    for epoch in (seen[:5], seen[5:]):
        assert sorted(torch.cat(epoch).tolist()) == list(range(rollout.num_steps))


def test_an_update_learns_what_is_good() -> None:
    """Of two joined nodes either is a cover, and the lighter one becomes likelier."""
    environment = VertexCover()
    policy = small_actor_critic(environment)
    observation = environment.observe(environment.reset(PAIR))
    before = policy.distribution(observation).probs[0].item()
    rollout = collect(environment, policy, num_envs=32)
    config = replace(CONFIG, epochs=4, minibatch_size=parts(rollout, 4))
    PPO(policy, environment.observe, config, seeded()).update(rollout, progress=0.0)
    assert policy.distribution(observation).probs[0].item() > before
