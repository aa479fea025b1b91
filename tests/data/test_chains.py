"""Law 8: what a decider earns follows it through deaths and joins, as a Python loop over its life says."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphwright.core import Segments
from graphwright.data.actions import ActionTable
from graphwright.data.chains import decision_chain, state_chain
from graphwright.data.rollout import Rollout
from graphwright.functional.returns import generalized_advantage
from strategies import seeds

unit = st.sampled_from([0.0, 0.5, 0.9, 1.0])


@dataclass
class Life:
    """Of one decider in one episode: its rows, rewards and values in order of time, and the value that follows."""

    rows: list[int] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    after: float = 0.0

    def advantages(self, discount: float, gae_lambda: float) -> dict[int, float]:
        """By the sum that defines them."""
        following = [*self.values[1:], self.after]
        delta = [r + discount * n - v for r, n, v in zip(self.rewards, following, self.values, strict=True)]
        return {
            row: sum((discount * gae_lambda) ** (k - place) * delta[k] for k in range(place, len(delta)))
            for place, row in enumerate(self.rows)
        }


@st.composite
def team_rollouts(draw: st.DrawFn) -> tuple[Rollout, Segments, torch.Tensor, list[Life]]:
    """Steps of a few episodes whose deciders die, join and change places; a value for each decision of each state."""
    rng = draw(st.randoms(use_true_random=False))
    num_steps, num_envs = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    teams: list[list[Life]] = [[Life() for _ in range(rng.randint(0, 3))] for _ in range(num_envs)]
    lives = [life for team in teams for life in team]
    values, counts, rewards, successors = [], [], [], []
    ends: list[list[str]] = []
    finals: list[list[Life]] = []
    row = 0
    for _ in range(num_steps):
        ends.append([])
        for env in range(num_envs):
            team = teams[env]
            counts.append(len(team))
            stay = [life for life in team if rng.random() < 0.7]
            joined = [Life() for _ in range(rng.randint(0, 2))]
            following = stay + joined
            rng.shuffle(following)
            for life in team:
                life.rows.append(row)
                life.rewards.append(rng.uniform(-1, 1))
                life.values.append(rng.uniform(-1, 1))
                rewards.append(life.rewards[-1])
                values.append(life.values[-1])
                successors.append(following.index(life) if life in stay else -1)
                row += 1
            ends[-1].append(rng.choice(["", "", "terminated", "truncated"]))
            if ends[-1][-1] == "truncated":
                finals.append(following)
            teams[env] = [Life() for _ in range(rng.randint(0, 3))] if ends[-1][-1] else following
            lives += teams[env]
    for team in [*teams, *finals]:  # the states that nothing was done in
        counts.append(len(team))
        for life in team:
            values.append(rng.uniform(-1, 1))
            life.after = values[-1]
    terminated, truncated = (torch.tensor([[end == kind for end in step] for step in ends]) for kind in KINDS)
    total = num_steps * num_envs
    final = total + num_envs + truncated.flatten().cumsum(0).view_as(truncated) - 1
    ahead = torch.arange(num_envs, total + num_envs).view_as(truncated)
    table = ActionTable(torch.zeros(row, dtype=torch.int32), Segments.from_lengths(torch.tensor(counts[:total])))
    rollout = Rollout(
        states=None,  # type: ignore[arg-type]
        action=table,
        log_prob=torch.zeros(row),
        reward=torch.zeros(num_steps, num_envs),
        terminated=terminated,
        truncated=truncated,
        next_row=torch.where(truncated, final, ahead).to(torch.int32),
        lost=torch.zeros_like(truncated),
        own_reward=torch.tensor(rewards, dtype=torch.float64),
        successor=torch.tensor(successors, dtype=torch.int32),
    )
    states = Segments.from_lengths(torch.tensor(counts))
    return rollout, states, torch.tensor(values, dtype=torch.float64), [life for life in lives if life.rows]


KINDS = ("terminated", "truncated")


@given(team_rollouts(), unit, unit)
def test_advantages_are_those_of_a_loop_over_lives(made, discount: float, gae_lambda: float) -> None:
    rollout, states, values, lives = made
    chain = decision_chain(rollout, states)
    following = values[chain.next_row.clamp(min=0)] if len(values) else values
    advantage = generalized_advantage(
        chain.reward,
        values[: len(chain.reward)],
        following.masked_fill(chain.next_row < 0, 0),
        chain.carry_row,
        chain.steps,
        discount=discount,
        gae_lambda=gae_lambda,
    )
    expected = {row: one for life in lives for row, one in life.advantages(discount, gae_lambda).items()}
    assert advantage.tolist() == pytest.approx([expected[row] for row in range(len(advantage))], abs=1e-12)


def test_two_deciders_by_hand() -> None:
    # Two deciders; the first dies, the second takes its place and a third joins; then all is cut off.
    rollout = Rollout(
        states=None,  # type: ignore[arg-type]
        action=ActionTable(torch.zeros(4, dtype=torch.int32), Segments(torch.tensor([0, 2, 4]))),
        log_prob=torch.zeros(4),
        reward=torch.zeros(2, 1),
        terminated=torch.zeros(2, 1, dtype=torch.bool),
        truncated=torch.zeros(2, 1, dtype=torch.bool),
        next_row=torch.tensor([[1], [2]], dtype=torch.int32),
        lost=torch.zeros(2, 1, dtype=torch.bool),
        own_reward=torch.tensor([1.0, 2, 3, 4]),
        successor=torch.tensor([-1, 0, 0, 1], dtype=torch.int32),
    )
    chain = decision_chain(rollout, Segments(torch.tensor([0, 2, 4, 6])))
    assert chain.next_row.tolist() == [-1, 2, 4, 5]
    assert chain.carry_row.tolist() == [-1, 2, -1, -1]
    assert chain.steps.ptr.tolist() == [0, 2, 4]


@given(st.integers(1, 5), st.integers(1, 3), seeds)
def test_a_graph_with_one_decider_each_is_the_same_chain(num_steps: int, num_envs: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    shape = (num_steps, num_envs)
    ended = torch.rand(shape, generator=generator)
    reward = torch.randn(shape, generator=generator)
    truncated = (ended > 0.2) & (ended < 0.4)
    total = num_steps * num_envs
    ahead = torch.arange(num_envs, total + num_envs).view(shape)
    final = total + num_envs + truncated.flatten().cumsum(0).view(shape) - 1
    count = total + num_envs + int(truncated.sum())
    rollout = Rollout(
        states=None,  # type: ignore[arg-type]
        action=ActionTable(torch.zeros(total, dtype=torch.int32), Segments(torch.arange(total + 1))),
        log_prob=torch.zeros(total),
        reward=reward,
        terminated=ended < 0.2,
        truncated=truncated,
        next_row=torch.where(truncated, final, ahead).to(torch.int32),
        lost=torch.zeros(shape, dtype=torch.bool),
        own_reward=reward.flatten(),
    )
    states, decisions = state_chain(rollout), decision_chain(rollout, Segments(torch.arange(count + 1)))
    assert states.next_sign is decisions.next_sign is None
    for one, other in zip(states[:4], decisions[:4], strict=True):
        left, right = (part.ptr if isinstance(part, Segments) else part for part in (one, other))
        assert torch.equal(left, right)


def test_a_death_at_a_truncation_and_a_shared_reward_by_hand() -> None:
    """Of two agents one is gone in the state in which the episode is cut off, the other has the value of that state."""
    rollout = Rollout(
        states=None,  # type: ignore[arg-type]
        action=ActionTable(torch.zeros(2, dtype=torch.int32), Segments(torch.tensor([0, 2]))),
        log_prob=torch.zeros(2),
        reward=torch.tensor([[5.0]]),
        terminated=torch.zeros(1, 1, dtype=torch.bool),
        truncated=torch.ones(1, 1, dtype=torch.bool),
        next_row=torch.tensor([[2]], dtype=torch.int32),
        lost=torch.zeros(1, 1, dtype=torch.bool),
        successor=torch.tensor([-1, 0], dtype=torch.int32),
    )
    chain = decision_chain(rollout, Segments(torch.tensor([0, 2, 4, 5])))  # acted in, fresh, final
    assert chain.reward.tolist() == [5, 5]
    assert chain.next_row.tolist() == [-1, 4]
    assert chain.carry_row.tolist() == [-1, -1]
