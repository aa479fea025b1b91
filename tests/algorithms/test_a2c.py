"""A2C: returns and a gradient step computed by hand, and a run like any other."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import nn

from decision_environments import ENVIRONMENTS as DECIDING
from environments import small_actor_critic
from graphwright.algorithms.a2c import A2C, A2CConfig
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.generators import ErdosRenyi, InstanceGenerator
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER, VertexCover
from graphwright.envs.vector import VectorEnvironment
from graphwright.training.collectors.steps import collect_steps
from graphwright.training.config import TrainConfig
from graphwright.training.train import train
from strategies import seeded


def test_an_update_is_the_step_of_a_loop_over_states() -> None:
    environment = VertexCover()
    policy = small_actor_critic(environment)
    generate = InstanceGenerator(ErdosRenyi(p=0.5), sizes=(2, 4, 6))
    vector = VectorEnvironment(environment, GeneratedInstances(generate, seed=0, block=16), 4)
    rollout = collect_steps(vector, policy, 6, seeded())
    other = copy.deepcopy(policy)
    config = A2CConfig(minibatch_size=10_000, discount=0.9, entropy_coefficient=0.01)
    metrics = A2C(policy, environment.observe, config, seeded()).update(rollout, progress=0.5)

    returns = [[0.0] * 4 for _ in range(6)]
    for env in range(4):
        following = 0.0
        for step in reversed(range(6)):
            after = other.value(environment.observe(rollout.states.select(rollout.next_row[step, env, None].long())))
            last = bool(rollout.terminated[step, env] | rollout.truncated[step, env]) or step == 5
            value = 0.0 if rollout.terminated[step, env] else after.item()
            following = rollout.reward[step, env].item() + 0.9 * (value if last else following)
            returns[step][env] = following
    target, losses = torch.tensor(returns).flatten(), []
    seen = [environment.observe(rollout.states.select(torch.tensor([row]))) for row in range(24)]
    advantage = target - torch.tensor([other.value(observation).item() for observation in seen])
    advantage = (advantage - advantage.mean()) / advantage.std(correction=0)
    for row, observation in enumerate(seen):
        distribution, value = other(observation)
        log_prob = distribution.log_prob(rollout.action.select(torch.tensor([row])))
        losses.append(
            -advantage[row] * log_prob + (value - target[row]).square() - 0.01 * distribution.entropy
        )  # value coefficient 2, of ½ the square
    adam = torch.optim.Adam(other.parameters(), lr=0.5 * config.learning_rate, eps=1e-5)
    torch.stack(losses).mean().backward()
    norm = nn.utils.clip_grad_norm_(other.parameters(), config.max_grad_norm)
    adam.step()
    torch.testing.assert_close(metrics["grad_norm"], norm, rtol=1e-3, atol=1e-4)
    for ours, theirs in zip(policy.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0.02 * config.learning_rate)


@pytest.mark.parametrize("name", DECIDING)
def test_the_decisions_of_a_graph_are_one_joint_action(name: str) -> None:
    """The first loss is −mean A Σ log π over the decisions of each graph, by a loop."""
    environment, draw = DECIDING[name]
    policy = small_actor_critic(environment)
    rollout = collect_steps(VectorEnvironment(environment, GeneratedInstances(draw, 0), 4), policy, 3, seeded())
    algorithm = A2C(policy, environment.observe, A2CConfig(minibatch_size=100), seeded())
    advantage, *_ = algorithm.advantages(rollout)
    advantage = (advantage - advantage.mean()) / advantage.std(correction=0)
    expected = 0.0
    for row in range(12):
        index = torch.tensor([row])
        distribution = policy.distribution(environment.observe(rollout.states.select(index)))
        expected -= float(advantage[row] * distribution.log_prob(rollout.action.select(index)).sum()) / 12
    assert float(algorithm.update(rollout, 0.0)["policy_loss"]) == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_it_trains_by_its_name_alone(tmp_path: Path) -> None:
    config = TrainConfig.for_problem(
        "vertex-cover",
        "a2c",
        steps=2000,
        threads=1,
        encoder={"width": 16, "depth": 2},
        collection={"sizes": (5, 8), "num_envs": 32, "num_steps": 8},
        validation={"sizes": (10,), "graphs": 8},
    )
    run = train(VERTEX_COVER, config, tmp_path / "run", Console(quiet=True))
    assert run.counters.best is not None
    assert run.counters.best < 0.3


@pytest.mark.parametrize(("option", "value"), [("discount", 2.0), ("minibatch_size", 0), ("learning_rate", -1.0)])
def test_settings_that_make_no_algorithm_are_refused(option: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"--a2c.{option.replace('_', '-')}"):
        A2CConfig(**{option: value})  # type: ignore[arg-type]
