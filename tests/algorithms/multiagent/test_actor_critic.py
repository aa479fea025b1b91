"""IAC, Central-V, IPPO and MAPPO: what has an advantage, what a critic sees, returns along lives, every parameter."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from algorithms.multiagent.teams import made, rollout_of
from decision_environments import ENVIRONMENTS
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.envs.team import has_own_reward
from strategies import alone, seeded

OF_AGENTS, OF_TEAMS = ["iac", "ippo"], ["central-v", "mappo"]
every = pytest.mark.parametrize("algorithm", [*OF_AGENTS, *OF_TEAMS])


@pytest.mark.parametrize("algorithm", OF_AGENTS)
@pytest.mark.parametrize("name", ["foragers", "spins of nodes"])
def test_td_lambda_of_agents_is_that_of_a_loop_over_their_lives(algorithm: str, name: str) -> None:
    """G = r + γ ((1 − λ) V(s′) + λ G′) of own or shared rewards, V alone where a life goes on elsewhere, 0 after it."""
    environment, draw = ENVIRONMENTS[name]
    own = made(algorithm, environment, discount=0.9, gae_lambda=0.8)
    rollout = rollout_of(environment, draw, own.policy)
    num_steps, num_envs = rollout.reward.shape
    states = rollout.action.states
    assert states is not None
    advantage, target, _ = own.advantages(rollout)

    def value(row: int) -> list[float]:
        return own.policy.value(environment.observe(rollout.states.select(torch.tensor([row])))).tolist()

    def result(t: int, env: int, agent: int) -> float:
        q = int(states.ptr[t * num_envs + env]) + agent
        reward = float(rollout.reward[t, env] if rollout.own_reward is None else rollout.own_reward[q])
        place = agent if rollout.successor is None else int(rollout.successor[q])
        if rollout.terminated[t, env] or place < 0:
            return reward
        following = value(int(rollout.next_row[t, env]))[place]
        if rollout.truncated[t, env] or t + 1 == num_steps:
            return reward + 0.9 * following
        return reward + 0.9 * (0.2 * following + 0.8 * result(t + 1, env, place))

    for row in range(rollout.num_steps):
        for agent, one in enumerate(value(row)):
            expected = result(row // num_envs, row % num_envs, agent)
            assert float(target[states.ptr[row] + agent]) == pytest.approx(expected, abs=1e-4)
            assert float(advantage[states.ptr[row] + agent]) == pytest.approx(expected - one, abs=1e-4)


@every
@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize("options", [{}, {"inputs": "concatenated"}])
def test_every_parameter_moves(algorithm: str, name: str, options: dict[str, Any]) -> None:
    if options and algorithm in OF_AGENTS:
        pytest.skip("its critic reads nothing of the team")
    environment, draw = ENVIRONMENTS[name]
    most = 12 if name == "links taken" else 6 if name == "spins of nodes" else 3
    own = made(algorithm, environment, **({**options, "max_agents": most} if options else {}))
    assert own.own == (algorithm in OF_AGENTS or (algorithm == "mappo" and has_own_reward(environment)))
    rollout = rollout_of(environment, draw, own.policy)
    before = {key: parameter.detach().clone() for key, parameter in own.policy.named_parameters()}
    for _ in range(2):
        metrics = own.update(rollout, 0.0)
    assert all(bool(value.isfinite()) for value in metrics.values())
    assert not [key for key, parameter in own.policy.named_parameters() if torch.equal(parameter, before[key])]
    assert not any(key.startswith("critic.") for key in own.acting_state())


@every
def test_what_a_critic_sees(algorithm: str) -> None:
    """Without messages, the critic of an agent sees that agent only; that of a team sees all, and each team alone."""
    environment, draw = ENVIRONMENTS["spins of nodes"]
    own = made(algorithm, environment, depth=0)
    graph = environment.reset(environment.instance(draw(3, seeded())))
    field = graph.nodes["field"].clone()
    field[1] += 1
    one, other = (own.policy.value(environment.observe(seen)) for seen in (graph, graph.with_nodes(field=field)))
    assert (one != other).nonzero().flatten().tolist() == ([1] if algorithm in OF_AGENTS else [0])
    parts = [own.policy.value(environment.observe(alone(graph, team))) for team in range(3)]
    torch.testing.assert_close(torch.cat(parts), one, rtol=1e-4, atol=1e-4)


@every
def test_graphs_that_decide_are_no_team(algorithm: str) -> None:
    with pytest.raises(ValueError, match="needs agents that decide for themselves"):
        made(algorithm, VertexCover())


def test_the_joint_ratio_is_none_of_independent_agents() -> None:
    with pytest.raises(ValueError, match=r"--ippo.ratio joint: each agent has an advantage of its own"):
        made("ippo", ENVIRONMENTS["foragers"][0], ratio="joint")
