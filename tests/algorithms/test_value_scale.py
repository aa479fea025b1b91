"""Critics that speak in standard deviations: by hand, in any unit of rewards, and of rewards far from 0."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from algorithms.multiagent.teams import made, remembered, rollout_of
from decision_environments import ENVIRONMENTS
from graphwright.algorithms.target import Target
from graphwright.algorithms.value_scale import EACH_MINIBATCH, RunningScale, ValueScale
from graphwright.data.replay import Transitions
from graphwright.data.ring import Group
from strategies import seeded

UNIT = 1024.0  # a power of two, by which floats are multiplied without error
IN_UNITS: dict[str, dict[str, Any]] = {
    "dqn": {},
    "iql": {},
    "vdn": {},
    "qmix": {},
    "maddpg": {},
    "awac": {"temperature": 0.3},
}
"""Algorithms that learn from a replay, and those settings that are in the unit of the rewards.

Without SAC: the loss of its actor is in that unit, and Adam divides by a little more than the size of gradients.
"""


def test_a_critic_in_standard_deviations_by_hand() -> None:
    """Targets 10 and 30 have mean 20 and deviation 10; then 0 and 0 move mean and mean square by a fifth of the way."""
    scale = RunningScale(0.2)
    assert scale.targets(torch.tensor([10.0, 30.0])).tolist() == pytest.approx([-1.0, 1.0])
    assert scale.values(torch.tensor([0.5])).tolist() == pytest.approx([25.0])
    assert scale.differences(torch.tensor([0.5])).tolist() == pytest.approx([5.0])
    assert float(scale.origin) == pytest.approx(20.0)
    spread = (0.8 * 500 - 16.0**2) ** 0.5
    assert scale.targets(torch.tensor([0.0, 0.0])).tolist() == pytest.approx([-16 / spread] * 2)
    again = RunningScale(0.2)
    again.load_state_dict(scale.state_dict())
    assert torch.equal(again.values(torch.ones(1)), scale.values(torch.ones(1)))
    plain, said = ValueScale(), torch.tensor([3.0])
    assert plain.values(said) == plain.differences(said) == plain.targets(said) == said


def paid(transitions: Transitions, pay: Any) -> Transitions:
    """The same steps with other rewards."""
    columns = {**transitions.columns, "reward": pay(transitions.columns["reward"])}
    groups = {name: Group(of.segments, dict(of.columns)) for name, of in transitions.groups.items()}
    for of in groups.values():
        if "reward" in of.columns:
            of.columns["reward"] = pay(of.columns["reward"])
    return replace(transitions, columns=columns, groups=groups)


@pytest.mark.parametrize("name", ["spins of nodes", "foragers"])
@pytest.mark.parametrize("algorithm", IN_UNITS)
def test_what_is_learned_does_not_depend_on_the_unit_of_rewards(algorithm: str, name: str) -> None:
    environment, draw = ENVIRONMENTS[name]
    learned = []
    for unit in (1.0, UNIT):
        settings = {key: unit * value for key, value in IN_UNITS[algorithm].items()}
        own = made(algorithm, environment, discount=0.9, normalize_values=True, max_grad_norm=1e9, **settings)
        replay = remembered(environment, draw, own.policy).replay
        steps = paid(replay.select(replay.ids), lambda reward, unit=unit: unit * reward)
        for _ in range(3):
            own._step(steps)
        learned.append(own.policy.state_dict())
    for key, tensor in learned[0].items():
        torch.testing.assert_close(learned[1][key], tensor, rtol=1e-4, atol=1e-6)


def test_coma_does_not_depend_on_the_unit_of_rewards() -> None:
    environment, draw = ENVIRONMENTS["spins of nodes"]
    learned = []
    for unit in (1.0, UNIT):
        own = made("coma", environment, normalize_values=True)
        rollout = rollout_of(environment, draw, own.policy)
        for _ in range(2):
            own.update(replace(rollout, reward=unit * rollout.reward), 0.0)
        learned.append({**own.policy.state_dict(), **own.critic.state_dict()})
    for key, tensor in learned[0].items():
        torch.testing.assert_close(learned[1][key], tensor, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("algorithm", [*IN_UNITS, "sac"])
def test_what_a_state_is_worth_is_in_the_unit_of_the_rewards(algorithm: str) -> None:
    """Deviations of 3 around 20: three times what the same networks say in plain numbers, and 20."""
    environment, draw = ENVIRONMENTS["foragers"]
    settings, worth = ({"temperature": 1e-9} if algorithm == "sac" else {}), []
    for normalized in (False, True):
        own = made(algorithm, environment, normalize_values=normalized, **settings)
        if normalized:
            own.target.scale.its_origin += 20
            own.target.scale.its_unit += 3
        state = environment.reset(draw(4, seeded()))
        own.generator = seeded(1)  # of MADDPG, which draws what is done next
        observation = environment.observe(state)
        worth.append(own._worth(observation, environment.actions.deciders(observation.graph)))
    torch.testing.assert_close(worth[1], 3 * worth[0] + 20)


@pytest.mark.parametrize(("spread", "least"), [(0.0, -55), (8.0, -60)])
def test_values_of_long_undiscounted_episodes_do_not_run_away(spread: float, least: float) -> None:
    """Fifty states in a row, -1 a step: a table that learns from returns of four steps and a target that lags.

    spread: of what it says at first, which is worth nothing, and which no value may go below `least` for.
    """
    table, scale, generator = nn.Embedding(50, 1), RunningScale(EACH_MINIBATCH), seeded()
    nn.init.normal_(table.weight, std=spread, generator=seeded(1))
    target, lowest = Target(table, 0.01, 1, scale), 0.0
    for _ in range(2500):
        state = torch.randint(50, (64,), generator=generator)
        after = (state + 4).clamp(max=50)
        later = target.scale.values(target.network(after.clamp(max=49)).squeeze(1)) * (after < 50)
        wanted = scale.targets(later - (after - state))
        with torch.no_grad():
            table.weight.index_add_(0, state, 0.05 * (wanted.unsqueeze(1) - table(state)))
        target.follow(table, scale)
        values = scale.values(table.weight.detach().squeeze(1))
        lowest = min(lowest, float(values.min()))
    assert lowest > least
    torch.testing.assert_close(values, torch.arange(-50.0, 0.0), rtol=0.05, atol=0.5)


def test_a_run_that_begins_with_another_speaks_in_its_units() -> None:
    environment, draw = ENVIRONMENTS["spins of nodes"]
    first, second, plain = (made("vdn", environment, normalize_values=normal) for normal in (True, True, False))
    replay = remembered(environment, draw, first.policy).replay
    first._step(replay.select(replay.ids))
    for own in (second, plain):
        own.start_from(first.policy.state_dict())
        own.take_units(first.state_dict())
    said = torch.tensor([0.5])
    assert second.scale.values(said) == first.scale.values(said) != plain.scale.values(said)
    assert second.target.scale.values(said) == second.scale.values(said)  # its network is the policy's, too
