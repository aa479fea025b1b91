"""COMA and MADDPG: targets by a loop along lives, parameters, what is refused, and that values lead upwards."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from algorithms.multiagent.teams import made, remembered, rollout_of
from decision_environments import ENVIRONMENTS
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.functional.relaxed import one_hot

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("coma", {}),
    ("coma", {"inputs": "concatenated", "max_agents": 12}),
    ("maddpg", {}),
    ("maddpg", {"critics": 2, "policy_period": 2}),
    ("maddpg", {"inputs": "concatenated", "max_agents": 12, "own_heads": True}),
]


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize(("algorithm", "options"), SETTINGS)
def test_every_parameter_moves(algorithm: str, options: dict[str, Any], name: str) -> None:
    environment, draw = ENVIRONMENTS[name]
    own = made(algorithm, environment, **options)
    before = {key: tensor.clone() for key, tensor in own.state_dict().items()}
    for _ in range(2):
        if algorithm == "coma":
            metrics = own.update(rollout_of(environment, draw, own.policy), 0.0)
        else:
            collector = remembered(environment, draw, own.policy, num_minibatches=3, minibatch_size=64)
            metrics = own.update(collector.collect(own.policy).batch, 0.0)
    assert all(bool(value.isfinite()) for value in metrics.values())
    networks = ("policy.", "critic.", "target.network.", "target_policy.network.")
    still = [
        key for key, tensor in own.state_dict().items() if key.startswith(networks) and torch.equal(tensor, before[key])
    ]
    if "own_heads" not in options:  # heads of places that no team fills stay as they were
        assert not still
    assert own.acting_state().keys() == own.policy.state_dict().keys()


@pytest.mark.parametrize("name", ["foragers", "spins of nodes"])
@pytest.mark.parametrize("n_step", [1, 3])
def test_targets_of_maddpg_are_those_of_a_loop(name: str, n_step: int) -> None:
    """y_i = r_i + γ Q_i(s′, a′) at the successor of agent i, a′ drawn by the target policy; 0 after its end."""
    environment, draw = ENVIRONMENTS[name]
    own = made("maddpg", environment, discount=0.9)
    replay = remembered(environment, draw, own.policy, n_step=n_step).replay
    transitions = replay.select(replay.ids)
    decisions = transitions.groups["decisions"]
    own.generator.manual_seed(1)
    following = own._following(transitions)
    own.generator.manual_seed(1)
    after = environment.observe(transitions.next_state)
    drawn = own._relaxed(own.target_policy.network.distribution(after)).detach()
    values = own.target.network.each[0](after, drawn)
    places = environment.actions.deciders(after.graph)
    for agent in range(decisions.segments.num_rows):
        row, successor = int(decisions.segments.index[agent]), int(decisions.columns["successor"][agent])
        gone = successor < 0 or bool(transitions.columns["terminated"][row])
        expected = 0.0 if gone else float(values[places.ptr[row] + successor].detach())
        assert float(following[agent]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("algorithm", ["sac", "awac", "maddpg"])
def test_targets_of_who_earns_for_itself_add_up_what_it_earns_over_several_steps(algorithm: str) -> None:
    """y_i = Σₖ γᵏ r_iₖ + γⁿ v_i, of agents that die and join among others that play on."""
    environment, draw = ENVIRONMENTS["foragers"]
    own = made(algorithm, environment, discount=0.9)
    replay = remembered(environment, draw, own.policy, n_step=3, num_envs=5, num_steps=6).replay
    transitions = replay.select(replay.ids)
    decisions, length = transitions.groups["decisions"], transitions.columns["length"].tolist()
    following = torch.arange(decisions.segments.num_rows).float()
    target = own._target(transitions, following)
    assert len(set(length)) > 1
    for agent, rewards in enumerate(decisions.columns["reward"].tolist()):
        earned = sum(0.9**step * reward for step, reward in enumerate(rewards))
        ahead = 0.9 ** length[int(decisions.segments.index[agent])] * agent
        assert float(target[agent]) == pytest.approx(earned + ahead, rel=1e-5)


@pytest.mark.parametrize("name", ["foragers", "spins of nodes"])
def test_targets_of_coma_are_those_of_a_loop_over_lives(name: str) -> None:
    """G = r + γ ((1 − λ) Q(s′, a′) + λ G′); λ = 0: one step, at the successor, 0 after the end."""
    environment, draw = ENVIRONMENTS[name]
    own = made("coma", environment, discount=0.9, gae_lambda=0.0)
    rollout = rollout_of(environment, draw, own.policy)
    own.generator.manual_seed(1)
    target, _ = own.targets(rollout)
    own.generator.manual_seed(1)
    found = own._valued(rollout, rollout.states.num_states, own.target.network, own.target.scale)
    states, num_envs = rollout.action.states, rollout.reward.shape[1]
    assert states is not None
    for q in range(states.num_rows):
        row = int(states.index[q])
        t, env = row // num_envs, row % num_envs
        place = int(states.position[q]) if rollout.successor is None else int(rollout.successor[q])
        reward = float(rollout.reward[t, env] if rollout.own_reward is None else rollout.own_reward[q])
        if not rollout.terminated[t, env] and place >= 0:
            reward += 0.9 * float(found.taken[found.graphs.ptr[int(rollout.next_row[t, env])] + place])
        assert float(target[q]) == pytest.approx(reward, abs=1e-4)


def test_the_policy_of_maddpg_goes_up_its_critic() -> None:
    """After steps on one observation, what the critic says of the policy's best actions is more."""
    environment, draw = ENVIRONMENTS["spins of nodes"]
    own = made("maddpg", environment, learning_rate=1e-2)
    replay = remembered(environment, draw, own.policy).replay
    observation = environment.observe(replay.select(replay.ids).state)

    def worth() -> float:
        best = one_hot(own.policy.best(observation), environment.actions.segments(observation.graph))
        return float(own.critic.least(observation, best).mean().detach())

    with torch.no_grad():
        for parameter in own.critic.parameters():
            parameter.mul_(2)  # differences that are large beside those between draws
    before = worth()
    for _ in range(20):
        own._move(observation, None)
    assert worth() > before


@pytest.mark.parametrize("algorithm", ["coma", "maddpg"])
def test_graphs_that_decide_are_no_team(algorithm: str) -> None:
    with pytest.raises(ValueError, match="needs agents that decide for themselves"):
        made(algorithm, VertexCover())


def test_more_agents_than_heads_are_refused() -> None:
    environment, draw = ENVIRONMENTS["spins of nodes"]
    own = made("maddpg", environment, own_heads=True, max_agents=4)
    collector = remembered(environment, draw, own.policy)
    with pytest.raises(ValueError, match=r"^--maddpg.max-agents 4: a graph has 6 agents; give at least 6"):
        own.update(collector.collect(own.policy).batch, 0.0)
