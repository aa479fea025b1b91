"""Evaluation of samplers: exact where that is known, likelihoods against enumeration, samples by their seed."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from flow_exact import coloured
from graphwright.envs.generative.edge_sets import EdgeSets
from graphwright.envs.generative.grid import HyperGrid
from graphwright.envs.registry import find_problem
from graphwright.envs.reversible import Reversible
from graphwright.nn import EncoderConfig
from graphwright.training.agent import Agent
from graphwright.training.evaluate import SamplingOptions, evaluate
from graphwright.training.gflownet.conditions import ConditionConfig, Goal
from graphwright.training.networks import make_policy
from graphwright.training.validation import DistributionValidationConfig
from samplers import sampler_config
from strategies import assert_same_batch, seeded

ENVIRONMENTS: dict[str, Reversible] = {
    "hyper-grid": HyperGrid(2, 4),
    "ring-edges": EdgeSets(3),
    "two-colour": coloured(3),
}
every_task = pytest.mark.parametrize("name", ENVIRONMENTS)


def agent(name: str, **options: Any) -> Agent:
    """A sampler that has learned nothing, but whose scores differ."""
    config = sampler_config(
        name,
        environment=ENVIRONMENTS[name],
        threads=1,
        encoder=EncoderConfig(kind="gin", width=8, depth=1),
        **options,
    )
    policy = make_policy(config, torch.device("cpu"))
    torch.manual_seed(0)
    for key, parameter in policy.named_parameters():
        if key.endswith("score.weight"):
            torch.nn.init.normal_(parameter)
    return Agent(find_problem(name), config, policy)


@every_task
def test_what_is_said_of_samples_is_what_they_are(name: str) -> None:
    one = agent(name)
    found = evaluate(one, SamplingOptions(num=100, top=10))
    objects = one.sample(100, seed=1)
    rewards = one.log_reward(objects)
    assert found.objects == 100
    assert found.mean_log_reward == pytest.approx(float(rewards.mean()))
    assert found.mean_reward == pytest.approx(float(rewards.exp().mean()))
    assert found.top_reward == pytest.approx(sum(sorted(rewards.exp().tolist())[-10:]) / 10)
    assert found.different == len(set(one.config.environment.keys(objects)))
    exact = one.exact()
    assert exact is not None
    assert found.log_z_exact == exact.log_z
    assert found.total_variation == exact.total_variation(one.policy)
    assert found.modes is None
    assert found.log_z == 0.0


def test_random_building_is_uniform_over_actions() -> None:
    """Of the grid: the mean reward of a uniform policy, exactly."""
    one = agent("hyper-grid")
    exact = one.exact()
    assert exact is not None
    space = exact.space
    ways = torch.bincount(space.candidates.index[space.legal], minlength=space.num_states)
    uniform = space.reached(-ways[space.candidates.index].double().log())[1]
    expected = float((uniform * exact.log_reward.exp()).sum())
    found = evaluate(one, SamplingOptions(num=1500))
    assert found.mean_reward_random == pytest.approx(expected, rel=0.1)
    sampled = float((exact.sampled(one.policy) * exact.log_reward.exp()).sum())
    assert found.mean_reward == pytest.approx(sampled, rel=0.1)


def test_an_environment_that_is_too_large_has_no_exact_answer() -> None:
    found = evaluate(agent("hyper-grid", validation=DistributionValidationConfig(max_states=5)), SamplingOptions(num=5))
    assert (found.log_z_exact, found.total_variation) == (None, None)
    told = evaluate(agent("hyper-grid", condition=ConditionConfig(beta="uniform")), SamplingOptions(num=5))
    assert (told.log_z_exact, told.total_variation) == (None, None)
    actor = evaluate(agent("hyper-grid", algorithm="trajectory-a2c"), SamplingOptions(num=5))
    assert actor.log_z is None


@every_task
def test_likelihoods_are_the_exact_probabilities(name: str) -> None:
    """Estimated along ways back; of graphs without names, whatever their numbering."""
    one = agent(name)
    exact = one.exact()
    assert exact is not None
    states = exact.space.states.select(exact.space.may_finish)
    probs = exact.sampled(one.policy)[exact.space.may_finish]
    repeats = torch.arange(states.num_graphs).repeat_interleave(30)
    found = one.log_likelihood(states.select(repeats), trajectories=2).double().exp().view(-1, 30).mean(1)
    likely = probs > 1e-4
    torch.testing.assert_close(found[likely], probs[likely], rtol=0.3, atol=4e-3)
    assert float(found.sum()) == pytest.approx(1, abs=0.08)


@every_task
def test_samples_are_those_of_their_seed_however_many_at_once(name: str) -> None:
    one = agent(name)
    assert_same_batch(one.sample(20, seed=3), one.sample(20, seed=3))
    environment = one.config.environment
    assert environment.keys(one.sample(20, seed=3)) != environment.keys(one.sample(20, seed=4))
    assert one.sample(7, at_once=3).num_graphs == 7


def test_samples_know_what_they_were_built_for() -> None:
    one = agent("hyper-grid", condition=ConditionConfig(beta="uniform", high=8.0))
    assert one.sample(4).graphs["beta"].tolist() == [8.0] * 4
    assert one.sample(4, goal=Goal(beta=2.0)).graphs["beta"].tolist() == [2.0] * 4
    instances = one.config.collection.instances(one.problem, one.config.environment, 3, seeded(), Goal(beta=3.0))
    assert instances.graphs["beta"].tolist() == [3.0] * 3


@pytest.mark.parametrize("options", [{"num": 0}, {"top": 0}, {"mode_similarity": 7.0}])
def test_nothing_to_look_at_is_refused(options: dict[str, int]) -> None:
    ((name, value),) = options.items()
    with pytest.raises(ValueError, match=f"--{name.replace('_', '-')} {value}: give"):
        SamplingOptions(**options)  # type: ignore[arg-type]


def test_states_are_not_counted_below_none() -> None:
    with pytest.raises(ValueError, match=r"--validation\.max-states -1: give at least 0"):
        DistributionValidationConfig(max_states=-1)
