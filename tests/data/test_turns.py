"""A rollout seen from each side's own turns: a game by hand, and any rollout by a loop over moves."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from graphwright.core import GraphBatch, from_edges
from graphwright.data.actions import ActionTable
from graphwright.data.chains import state_chain
from graphwright.data.rollout import Rollout
from graphwright.data.states import WholeStates
from graphwright.data.turns import own_turns
from graphwright.functional.returns import generalized_advantage


def rollout_of(reward: torch.Tensor, terminated: torch.Tensor, truncated: torch.Tensor) -> Rollout:
    steps, envs = reward.shape
    final = (steps + 1) * envs + truncated.flatten().cumsum(0).view_as(truncated) - 1
    next_row = torch.where(truncated, final, torch.arange(envs, (steps + 1) * envs).view(steps, envs))
    return Rollout(
        states=WholeStates(nothing()),
        action=ActionTable(torch.zeros(steps * envs)),
        log_prob=torch.zeros(steps * envs),
        reward=reward,
        terminated=terminated,
        truncated=truncated,
        next_row=next_row.to(torch.int32),
        lost=torch.zeros_like(terminated),
    )


def nothing() -> GraphBatch:
    return from_edges(torch.zeros(2, 0, dtype=torch.int64), torch.tensor([1]), undirected=True)


def test_a_game_by_hand() -> None:
    """Sides move in turn: 0, 1, 0, 1, 0; side 0 wins with the fifth move, and then a game of 1, 0 begins.

    With V of the states 0.1, -0.2, 0.3, -0.4, 0.5 and then 0.6, 0.7, and 0.8 (side 1 to move) after all seven moves,
    γ = 1 and λ = ½: side 0 has δ = 0.3 − 0.1, 0.5 − 0.3, 1 − 0.5 in its turns, side 1 has δ = −0.4 + 0.2 and −1 + 0.4.
    In the second game side 1 reaches its own turn after the last move, δ = 0.8 − 0.6, and side 0 does not:
    δ = −0.8 − 0.7.
    """
    player = torch.tensor([0, 1, 0, 1, 0, 1, 0, 1])
    reward = torch.tensor([0.0, 0, 0, 0, 1, 0, 0])[:, None]
    over = reward == 1
    rollout = own_turns(rollout_of(reward, over, torch.zeros_like(over)), player)
    assert rollout.reward.flatten().tolist() == [0, 0, 0, -1, 1, 0, 0]
    assert rollout.terminated.flatten().tolist() == [False, False, False, True, True, False, False]
    values = torch.tensor([0.1, -0.2, 0.3, -0.4, 0.5, 0.6, 0.7, 0.8])
    chain = state_chain(rollout)
    found = generalized_advantage(
        chain.reward,
        values[:7],
        chain.following(values),
        chain.carry_row,
        chain.steps,
        discount=1.0,
        gae_lambda=0.5,
    )
    expected = [0.2 + 0.5 * (0.2 + 0.5 * 0.5), -0.2 + 0.5 * -0.6, 0.2 + 0.5 * 0.5, -0.6, 0.5, 0.2, -1.5]
    torch.testing.assert_close(found, torch.tensor(expected))


@given(seed=st.integers(0, 2**31), steps=st.integers(1, 9), envs=st.integers(1, 4))
def test_any_rollout_is_what_a_loop_over_moves_says(seed: int, steps: int, envs: int) -> None:
    """Sides move in any order, twice in a row too, and games end by their rules or are cut short anywhere."""
    draw = torch.Generator().manual_seed(seed)
    reward = torch.randn(steps, envs, generator=draw)
    ends = torch.rand(steps, envs, generator=draw)
    terminated, truncated = ends < 0.2, ends > 0.85
    given_rollout = rollout_of(reward, terminated, truncated)
    player = torch.randint(2, ((steps + 1) * envs + int(truncated.sum()),), generator=draw)
    found = own_turns(given_rollout, player)
    for env in range(envs):
        for step in range(steps):
            side = player[step * envs + env]
            total, at = 0.0, step
            while True:
                own = player[at * envs + env] == side
                total += float(reward[at, env]) * (1 if own else -1)
                over = bool(terminated[at, env] | truncated[at, env])
                row = int(given_rollout.next_row[at, env])
                at += 1
                if over or at == steps or player[at * envs + env] == side:
                    break
            assert abs(float(found.reward[step, env]) - total) < 1e-5
            assert found.terminated[step, env] == (over and terminated[at - 1, env])
            assert found.truncated[step, env] == (over and truncated[at - 1, env])
            if not found.terminated[step, env]:
                assert int(found.next_row[step, env]) == row
                assert float(found.next_sign[step, env]) == (1 if player[row] == side else -1)
