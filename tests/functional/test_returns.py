"""Advantages: the recursion equals the sum that defines it, episode by episode."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core import Segments
from graphwright.functional.returns import above_group, generalized_advantage, group_advantage
from strategies import seeded, seeds

unit = st.sampled_from([0.0, 0.5, 0.9, 1.0])


@st.composite
def trajectories(draw: st.DrawFn) -> dict[str, Tensor]:
    """Up to 8 steps of up to 3 environments, float64, terminated or truncated in the middle."""
    shape = (draw(st.integers(1, 8)), draw(st.integers(1, 3)))
    generator = seeded(draw(seeds))
    reward, value, next_value = torch.randn(3, *shape, generator=generator, dtype=torch.float64)
    ended = torch.rand(shape, generator=generator)
    terminated, truncated = ended < 0.2, (ended >= 0.2) & (ended < 0.4)
    going_on = ~(terminated | truncated)
    next_value[:-1] = torch.where(going_on[:-1], value[1:], next_value[:-1])
    return {
        "reward": reward,
        "value": value,
        "next_value": next_value.masked_fill(terminated, 0),
        "done": terminated | truncated,
    }


def dense(reward: Tensor, value: Tensor, next_value: Tensor, done: Tensor, **settings: float) -> Tensor:
    """[T, B]: environments side by side as a case of rows that follow each other."""
    num_steps, num_envs = reward.shape
    row = torch.arange(num_steps * num_envs).view(num_steps, num_envs)
    next_row = torch.where(done | (row + num_envs >= reward.numel()), -1, row + num_envs)
    steps = Segments(torch.arange(num_steps + 1) * num_envs)
    flat = (tensor.flatten() for tensor in (reward, value, next_value, next_row))
    return generalized_advantage(*flat, steps, **settings).view(num_steps, num_envs)


def steps_to_come(done: Tensor, start: int, environment: int) -> range:
    """The steps from `start` to the end of the episode, or of what was collected."""
    ends = done[start:, environment].nonzero().squeeze(1).tolist()
    return range(start, start + ends[0] + 1 if ends else len(done))


@given(trajectories(), unit, unit)
def test_the_advantage_is_the_discounted_sum_of_its_deltas(
    trajectory: dict[str, Tensor], discount: float, gae_lambda: float
) -> None:
    reward, value, next_value, done = trajectory.values()
    advantage = dense(**trajectory, discount=discount, gae_lambda=gae_lambda)
    for environment in range(reward.shape[1]):
        for start in range(reward.shape[0]):
            total = 0.0
            for t in steps_to_come(done, start, environment):
                at = (t, environment)
                delta = float(reward[at] + discount * next_value[at] - value[at])
                total += (discount * gae_lambda) ** (t - start) * delta
            assert float(advantage[start, environment]) == pytest.approx(total, abs=1e-12)


@given(trajectories(), unit)
def test_lambda_one_is_the_discounted_return_less_the_value(trajectory: dict[str, Tensor], discount: float) -> None:
    reward, value, next_value, done = trajectory.values()
    returns = dense(**trajectory, discount=discount, gae_lambda=1.0) + value
    for environment in range(reward.shape[1]):
        for start in range(reward.shape[0]):
            steps = steps_to_come(done, start, environment)
            expected = sum(discount ** (t - start) * float(reward[t, environment]) for t in steps)
            expected += discount ** len(steps) * float(next_value[steps[-1], environment])
            assert float(returns[start, environment]) == pytest.approx(expected, abs=1e-12)


@given(trajectories(), unit)
def test_lambda_zero_is_one_step(trajectory: dict[str, Tensor], discount: float) -> None:
    reward, value, next_value, _ = trajectory.values()
    advantage = dense(**trajectory, discount=discount, gae_lambda=0.0)
    torch.testing.assert_close(advantage, reward + discount * next_value - value)


@given(trajectories())
def test_environments_do_not_meet(trajectory: dict[str, Tensor]) -> None:
    together = dense(**trajectory, discount=0.9, gae_lambda=0.8)
    for environment in range(together.shape[1]):
        column = {name: tensor[:, [environment]] for name, tensor in trajectory.items()}
        torch.testing.assert_close(dense(**column, discount=0.9, gae_lambda=0.8), together[:, [environment]])


def test_three_steps_by_hand() -> None:
    reward, value = torch.tensor([[1.0], [2], [3]]), torch.tensor([[0.5], [1], [1.5]])
    terminated = torch.tensor([[False], [False], [True]])
    settings = {"discount": 0.5, "gae_lambda": 0.5}
    # δ = 1 + ½ − ½, 2 + ¾ − 1, 3 − 1½ = 1, 1¾, 1½ and A = δ + ¼ A'
    advantage = dense(reward, value, torch.tensor([[1.0], [1.5], [0]]), terminated, **settings)
    assert advantage.squeeze().tolist() == [1.53125, 2.125, 1.5]
    # truncated after the second step, in a state worth 4: δ = 1, 2 + 2 − 1, 1½
    truncated = torch.tensor([[False], [True], [True]])
    advantage = dense(reward, value, torch.tensor([[1.0], [4], [0]]), truncated, **settings)
    assert advantage.squeeze().tolist() == [1.75, 3, 1.5]


@given(st.integers(0, 4), st.integers(2, 6), seeds)
def test_group_advantages_are_those_of_a_loop(instances: int, repeats: int, seed: int) -> None:
    returns = torch.randn(instances, repeats, generator=seeded(seed), dtype=torch.float64) - 3
    for some, advantage in zip(returns.tolist(), group_advantage(returns).tolist(), strict=True):
        mean = sum(some) / repeats
        spread = (sum((one - mean) ** 2 for one in some) / repeats) ** 0.5
        assert advantage == pytest.approx([(one - mean) / (spread + 0.01 * abs(mean)) for one in some], rel=1e-6)


def test_group_advantages_by_hand() -> None:
    advantage = group_advantage(torch.tensor([[1.0, 3], [-1, 1], [-4, -4]]))
    torch.testing.assert_close(advantage, torch.tensor([[-1 / 1.02, 1 / 1.02], [-1, 1], [0, 0]]))


def test_returns_by_hand() -> None:
    """γ = ½, λ = 1, V = 0 where something is done: A is the return.

    First column: 1 + ½ (2 + ½ (4 + ½ · 8)). Second: done after the second step, where the critic says 6.
    """
    reward, next_value = torch.tensor([1.0, 1, 2, 2, 4, 4]), torch.tensor([0.0, 0, 0, 6, 8, 0])
    found = generalized_advantage(
        reward, torch.zeros(6), next_value, torch.tensor([2, 3, 4, -1, -1, -1]),
        Segments(torch.tensor([0, 2, 4, 6])), discount=0.5, gae_lambda=1.0,
    )  # fmt: skip
    assert found.tolist() == [4, 1 + 0.5 * 5, 6, 2 + 3, 8, 4]


def test_what_chance_does_to_all_episodes_of_a_group_is_left_out() -> None:
    """Two steps of two groups of two episodes; then the same of which the first episode has two decisions a step."""
    advantage = torch.tensor([1.0, 3.0, 10.0, 10.0, 0.0, 4.0, 5.0, 7.0])
    expected = [-1.0, 1.0, 0.0, 0.0, -2.0, 2.0, -1.0, 1.0]
    assert above_group(advantage, None, 2).tolist() == expected
    states = Segments.from_lengths(torch.tensor([2, 1, 1, 1, 2, 1, 1, 1]))
    each = torch.tensor([0.0, 2.0, 3.0, 10.0, 10.0, -1.0, 1.0, 4.0, 5.0, 7.0])
    assert above_group(each, states, 2).tolist() == [-2.0, 0.0, 1.0, 0.0, 0.0, -3.0, -1.0, 2.0, -1.0, 1.0]
