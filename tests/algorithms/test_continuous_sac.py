"""Soft actor-critic for real numbers: its target by a loop, every parameter moves, it learns, it refuses edges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from environments import KINDS
from graphwright.algorithms.algorithm import Setup
from graphwright.algorithms.continuous_sac import ContinuousSAC
from graphwright.algorithms.registry import find_algorithm
from graphwright.algorithms.sac_config import SACConfig
from graphwright.core import ActionSpec, per_decider
from graphwright.data.samples import DECISIONS
from graphwright.data.sources import GeneratedInstances
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER
from graphwright.envs.rollouts import unroll
from graphwright.envs.vector import VectorEnvironment
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.training.collectors.replay import ReplayConfig
from graphwright.training.collectors.replay_collector import ReplayCollector
from strategies import seeded

PUSH = KINDS["continuous"]


def made(config: SACConfig, environment: Any = PUSH, width: int = 8) -> ContinuousSAC:
    torch.manual_seed(0)
    parts = environment.features, environment.actions, environment
    setup = Setup("sac", *parts, EncoderConfig(width=width, depth=1), HeadsConfig(), seeded())
    found: ContinuousSAC = find_algorithm("sac").load().build(config, setup)
    return found


def collector(num_envs: int = 4, **options: int) -> ReplayCollector:
    vector = VectorEnvironment(PUSH, GeneratedInstances(VERTEX_COVER.generator(None, (3, 4)), 0), num_envs)
    config = ReplayConfig(num_envs=num_envs, num_steps=4, warm_up=0, **options)
    return ReplayCollector(vector, config, 1, seeded())


def mean_return(algorithm: ContinuousSAC) -> float:
    instances = VERTEX_COVER.generator(None, (3, 4))(16, seeded())
    steps = unroll(PUSH, PUSH.reset(instances), algorithm.policy.best)
    return sum(float(step.reward.sum()) for step in steps) / 16


def test_the_value_of_an_independent_agent_is_of_what_it_does_alone() -> None:
    """What its neighbours did came to it by messages."""
    observation = PUSH.observe(PUSH.reset(VERTEX_COVER.generator(None, (4,))(2, seeded())))
    count = PUSH.actions.deciders(observation.graph).num_rows
    action = torch.rand(count, PUSH.actions.blocks[0].columns, generator=seeded())
    other = action.index_fill(0, torch.tensor([1]), -1.0)
    for independent in (True, False):
        critic = made(SACConfig(independent=independent)).critic
        apart = torch.stack(critic(observation, action)) != torch.stack(critic(observation, other))
        changed = apart.any(0).nonzero().squeeze(1).tolist()
        assert changed == [1] if independent else len(changed) > 1


def test_what_follows_is_the_least_soft_value_of_drawn_actions() -> None:
    algorithm = made(SACConfig(temperature=0.3))
    batch = collector(num_minibatches=1, minibatch_size=8).collect(algorithm.policy).batch
    transitions = next(iter(batch))
    state = algorithm.generator.get_state()
    following = algorithm._following(transitions)
    algorithm.generator.set_state(state)
    observation = PUSH.observe(transitions.next_state)
    policy = algorithm.policy.distribution(observation)
    drawn = policy.sample(algorithm.generator)
    first, second = algorithm.target.network(observation, drawn)
    groups = algorithm.policy.actions.deciders(observation.graph)
    for graph, (begin, end) in enumerate(zip(groups.ptr[:-1], groups.ptr[1:], strict=True)):
        total = 0.0
        log_prob = policy.log_prob(drawn).tolist()
        for row in range(begin, end):
            total += min(float(first[row]), float(second[row])) - 0.3 * log_prob[row]
        ended = bool(transitions.columns["terminated"][graph])
        assert float(following[graph]) == pytest.approx(0.0 if ended else total, abs=1e-4)
    assert transitions.groups[DECISIONS].columns["action"].is_floating_point()


def test_every_parameter_moves_and_the_others_see_what_is_done() -> None:
    algorithm = made(SACConfig())
    batch = collector(num_minibatches=3, minibatch_size=8).collect(algorithm.policy).batch
    before = {name: tensor.clone() for name, tensor in algorithm.state_dict().items()}
    metrics = algorithm.update(batch, 0.0)
    after = algorithm.state_dict()
    for name, old in before.items():
        if name.startswith(("policy.", "critic.", "target.network.", "temperature.")):
            assert not torch.equal(after[name], old), name
    assert all(value.isfinite() for value in metrics.values())
    observation = PUSH.observe(next(iter(batch)).state)
    action = torch.zeros(int(observation.masks[0].numel()), 1)
    other = action.index_fill(0, torch.tensor([0]), 1.0)
    first, second = (algorithm.critic(observation, each)[0] for each in (action, other))
    assert (first != second).sum() > 1  # a neighbour's action counts too


def test_it_learns_to_push_as_far_as_is_right() -> None:
    """A push counts at once, so nothing has to be looked ahead for (γ = 0)."""
    algorithm = made(SACConfig(learning_rate=1e-2, temperature=0.02, discount=0.0, target_rate=0.05), width=16)
    source = collector(num_envs=8, num_minibatches=4, minibatch_size=64, capacity=2000)
    before = mean_return(algorithm)
    for _ in range(50):
        algorithm.update(source.collect(algorithm.policy).batch, 0.0)
    one_push = -2.0787  # every node but the heaviest at its weight after one push
    assert mean_return(algorithm) > before + 0.5 * (one_push - before)


def test_real_numbers_of_edges_are_refused() -> None:
    class Pulled(type(PUSH)):  # type: ignore[misc]
        actions = ActionSpec(per_decider("pull", continuous=1), decider="edges")

    with pytest.raises(ValueError, match="--algorithm sac: real-valued actions of nodes only"):
        made(SACConfig(), Pulled())


def test_settings_are_for_both_kinds() -> None:
    assert isinstance(made(replace(SACConfig(), entropy_per_number=-0.5)), ContinuousSAC)
    with pytest.raises(ValueError, match=r"^--sac.entropy-per-number 1: numbers from -1 to 1 have at most log 2"):
        SACConfig(entropy_per_number=1.0)  # which no policy comes to, so that its temperature rose without end
