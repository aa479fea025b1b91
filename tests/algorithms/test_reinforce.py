"""REINFORCE: the update is the step of a plain loop over episodes and their actions."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from environments import ENVIRONMENTS, small_policy
from graphwright.algorithms.reinforce import Reinforce, ReinforceConfig
from graphwright.data.rollout import Episodes
from graphwright.envs.environment import Environment
from graphwright.envs.generators import ErdosRenyi, InstanceGenerator
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.nn import GraphPolicy
from graphwright.training.collectors.episodes import collect_episodes
from graphwright.training.config import ConfigError, TrainConfig
from strategies import seeded

CONFIG = ReinforceConfig(minibatch_size=10_000, entropy_coefficient=0.01)
INSTANCES, SAMPLES = 4, 4
everywhere = pytest.mark.parametrize("name", ENVIRONMENTS)


def collect(environment: Environment, policy: GraphPolicy) -> Episodes:
    instances = InstanceGenerator(ErdosRenyi(p=0.6), sizes=(1, 4, 6))(INSTANCES, seeded())
    return collect_episodes(environment, instances, SAMPLES, policy, seeded())


@everywhere
def test_episodes_are_played_to_their_ends(name: str) -> None:
    environment = ENVIRONMENTS[name]
    episodes = collect(environment, small_policy(environment))
    returns = torch.zeros(episodes.returns.numel())
    ends = torch.zeros(episodes.returns.numel(), dtype=torch.int64)
    for row, (episode, action) in enumerate(zip(episodes.episode.tolist(), episodes.action.values, strict=True)):
        assert episodes.states.instance_row[row] == episode // SAMPLES
        step = environment.step(episodes.states.select(torch.tensor([row])), action[None].long())
        returns[episode] += step.reward[0]
        ends[episode] += int(step.terminated | step.truncated)
    torch.testing.assert_close(returns.view_as(episodes.returns), episodes.returns)
    assert set(ends[episodes.episode.long()].tolist()) == {1}


@everywhere
def test_an_update_is_the_step_of_a_loop_over_actions(name: str) -> None:
    environment = ENVIRONMENTS[name]
    policy = small_policy(environment)
    episodes = collect(environment, policy)
    other = copy.deepcopy(policy)
    metrics = Reinforce(policy, environment.observe, CONFIG, seeded()).update(episodes, progress=0.5)

    worth = []
    for returns in episodes.returns.tolist():
        mean = sum(returns) / len(returns)
        spread = (sum((one - mean) ** 2 for one in returns) / len(returns)) ** 0.5
        worth += [(one - mean) / (spread + 0.01 * abs(mean) + 1e-8) for one in returns]
    advantage = torch.tensor([worth[episode] for episode in episodes.episode.tolist()])
    advantage = (advantage - advantage.mean()) / advantage.std(correction=0)
    losses, entropies = [], []
    for row, action in enumerate(episodes.action.values.tolist()):
        distribution = other.distribution(environment.observe(episodes.states.select(torch.tensor([row]))))
        probs = distribution.probs[distribution.probs > 0]
        losses.append(-advantage[row] * distribution.log_probs[action])
        entropies.append(-(probs * probs.log()).sum())
    loss, entropy = torch.stack(losses).mean(), torch.stack(entropies).mean()
    adam = torch.optim.Adam(other.parameters(), lr=0.5 * CONFIG.learning_rate, eps=1e-5)
    (loss - CONFIG.entropy_coefficient * entropy).backward()
    nn.utils.clip_grad_norm_(other.parameters(), CONFIG.max_grad_norm)
    adam.step()

    torch.testing.assert_close(metrics["policy_loss"], loss.detach(), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(metrics["entropy"], entropy.detach(), rtol=1e-3, atol=1e-5)
    for ours, theirs in zip(policy.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0.02 * CONFIG.learning_rate)


def test_every_parameter_moves_and_there_is_no_critic() -> None:
    environment = VertexCover()
    policy = small_policy(environment)
    episodes = collect(environment, policy)
    before = copy.deepcopy(policy)
    algorithm = Reinforce(policy, environment.observe, CONFIG, seeded())
    algorithm.update(episodes, progress=0.0)
    optimized = {id(parameter) for group in algorithm.optimizer.adam.param_groups for parameter in group["params"]}
    for (name, parameter), old in zip(policy.named_parameters(), before.parameters(), strict=True):
        assert id(parameter) in optimized, name
        moved = (parameter - old).abs().max()
        assert moved > 1e-5, name


def test_one_episode_an_instance_has_no_baseline() -> None:
    with pytest.raises(ConfigError, match="--num-samples 1: --algorithm reinforce compares episodes"):
        TrainConfig.for_problem("vertex-cover", "reinforce", collection={"num_samples": 1})
