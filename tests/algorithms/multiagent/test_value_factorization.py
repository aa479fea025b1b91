"""IQL, VDN and QMIX: targets by a loop over agents, deaths, n steps, resumption, and what they learn."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from algorithms.multiagent.teams import made, remembered
from decision_environments import ENVIRONMENTS, optimum
from graphwright.algorithms.valued import SharingDeciders
from graphwright.core.segment import Segments, segment_sum
from graphwright.data.replay import Transitions
from graphwright.data.ring import Group
from graphwright.envs.problem import random_choice
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.envs.rollouts import play
from graphwright.envs.team import has_own_reward
from strategies import seeded

MIXING = ["iql", "vdn", "qmix"]
every = pytest.mark.parametrize("algorithm", MIXING)


@pytest.mark.parametrize(("algorithm", "options"), [("iql", {}), ("vdn", {}), ("qmix", {}), ("qmix", {"shared": True})])
@pytest.mark.parametrize("name", ["foragers", "spins of nodes"])
@pytest.mark.parametrize("n_step", [1, 3])
def test_targets_are_those_of_a_loop(algorithm: str, options: dict[str, Any], name: str, n_step: int) -> None:
    """y = r + γ mixer(q′), q′ of the agents' next best actions; of IQL agent by agent, along `successor`."""
    environment, draw = ENVIRONMENTS[name]
    own = made(algorithm, environment, discount=0.9, **options)
    with torch.no_grad():
        for parameter in own.target.network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=seeded(3)))
    replay = remembered(environment, draw, own.policy, num_envs=3, num_steps=4, n_step=n_step).replay
    transitions = replay.select(replay.ids)
    decisions, errors = transitions.groups["decisions"], []
    for row in range(len(replay)):
        one = torch.tensor([row])
        here = environment.observe(transitions.state.select(one))
        after = environment.observe(transitions.next_state.select(one))
        begin, end = decisions.segments.ptr[row : row + 2].tolist()
        scores, chooser = own.policy.distribution(here), own.policy.distribution(after)
        ahead = own.target.network.distribution(after)
        starts = zip(ahead.segments.ptr[:-1].tolist(), ahead.segments.ptr[1:].tolist(), strict=True)
        places = [start + int(chooser.logits[start:stop].argmax()) for start, stop in starts]
        best = ahead.logits[places].tolist()
        action = decisions.columns["action"][begin:end]
        q = scores.logits[scores.segments.ptr[:-1] + action].tolist()
        over, reward = bool(transitions.columns["terminated"][row]), transitions.columns["reward"][row]
        gamma = 0.9 ** int(transitions.columns["length"][row])
        shared = sum(0.9**k * float(r) for k, r in enumerate(reward))
        if algorithm == "iql":
            for i in range(end - begin):
                successor = int(decisions.columns["successor"][begin + i])
                earned = shared
                if has_own_reward(environment):
                    earned = sum(0.9**k * float(r) for k, r in enumerate(decisions.columns["reward"][begin + i]))
                errors.append(q[i] - earned - (0.0 if over or successor < 0 else gamma * best[successor]))
        else:
            seen, ahead_seen = own.policy.embed(here), own.target.network.embed(after)
            mixed = float(own.policy.mixer(torch.tensor(q), here.graph, seen))
            following = (
                float(own.target.network.mixer(torch.tensor(best), after.graph, ahead_seen))
                if best and not over
                else 0.0
            )
            errors.append(mixed - shared - gamma * following)
    expected = sum(0.5 * e**2 if abs(e) <= 1 else abs(e) - 0.5 for e in errors) / len(errors)
    metrics, _ = own._step(transitions)
    assert float(metrics["value_loss"]) == pytest.approx(expected, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("name", ["foragers", "spins of nodes"])
def test_the_bonus_of_a_team_mate_is_the_mean_over_those_that_are_there(name: str) -> None:
    environment, draw = ENVIRONMENTS[name]
    own, mate = (made("iql", environment, munchausen=0.9, munchausen_of=whose) for whose in ("own", "team-mate"))
    mate.load_state_dict(own.state_dict())
    replay = remembered(environment, draw, own.policy, num_envs=6, num_steps=4, n_step=1).replay
    transitions = replay.select(replay.ids)
    decisions, observation = transitions.groups["decisions"], environment.observe(transitions.state)
    graphs, action = decisions.segments, decisions.columns["action"]
    each, found = own._log_policy(observation, action), mate._log_policy(observation, action)
    assert -0.9 <= float(each.min()) < 0
    for begin, end in zip(graphs.ptr[:-1].tolist(), graphs.ptr[1:].tolist(), strict=True):
        for agent in range(begin, end):
            others = [float(each[other]) for other in range(begin, end) if other != agent]
            assert float(found[agent]) == pytest.approx(sum(others) / max(len(others), 1), abs=1e-6)
    several = graphs.lengths > 1
    torch.testing.assert_close(segment_sum(found, graphs)[several], segment_sum(each, graphs)[several])


def test_a_mixer_hears_somebody() -> None:
    with pytest.raises(ValueError, match=r"^--qmix.hidden 0: give at least 1"):
        made("qmix", ENVIRONMENTS["foragers"][0], hidden=0)


def test_a_graph_that_decides_alone_has_no_team_mate() -> None:
    with pytest.raises(ValueError, match=r"^--algorithm dqn: needs agents that decide for themselves"):
        made("dqn", VertexCover(), munchausen=0.9, munchausen_of="team-mate")


def test_a_shared_reward_counts_while_an_agent_is_there() -> None:
    """Three steps of one graph with two agents; the second is gone after two of them."""
    columns = {"successor": torch.tensor([0, -2])}
    transitions = Transitions(
        torch.arange(1), None, None, {"reward": torch.tensor([[1.0, 2.0, 4.0]])},
        {"decisions": Group(Segments.from_lengths(torch.tensor([2])), columns)}, torch.ones(1),
    )  # fmt: skip
    assert SharingDeciders().rewards(transitions).tolist() == [[1, 2, 4], [1, 2, 0]]


@pytest.mark.parametrize("n_step", [2, 3])
def test_successors_and_rewards_over_several_steps_are_those_of_a_loop(n_step: int) -> None:
    """Agents that die and join: the place after n steps, or after how many of them it is gone; what each earned."""
    environment, draw = ENVIRONMENTS["foragers"]
    policy = made("iql", environment).policy
    single = remembered(environment, draw, policy, num_envs=5, num_steps=6, n_step=1).replay
    several = remembered(environment, draw, policy, num_envs=5, num_steps=6, n_step=n_step).replay
    one, many = (replay.select(replay.ids).groups["decisions"] for replay in (single, several))
    length = several.select(several.ids).columns["length"]
    assert torch.equal(one.columns["action"], many.columns["action"])  # the same steps, 5 episodes after 5
    dead = 0
    for row in range(30):
        for agent in range(int(one.segments.lengths[row])):
            place, at, rewards = agent, row, [0.0] * n_step
            for steps in range(1, int(length[row]) + 1):
                rewards[steps - 1] = float(one.columns["reward"][one.segments.ptr[at] + place, 0])
                place = int(one.columns["successor"][one.segments.ptr[at] + place])
                at += 5
                if place < 0:
                    place, dead = -steps, dead + (steps > 1)
                    break
            decider = many.segments.ptr[row] + agent
            assert int(many.columns["successor"][decider]) == place
            assert many.columns["reward"][decider].tolist() == rewards
    assert dead


@every
@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize(
    "options", [{}, {"inputs": "concatenated", "max_agents": 12}, {"shared": True}, {"munchausen": 0.9}]
)
def test_every_parameter_moves(algorithm: str, name: str, options: dict[str, Any]) -> None:
    if {"inputs", "shared"} & options.keys() and algorithm != "qmix":
        pytest.skip("its mixer reads nothing of the team")
    environment, draw = ENVIRONMENTS[name]
    own = made(algorithm, environment, **options)
    before = {key: tensor.clone() for key, tensor in own.state_dict().items()}
    collector = remembered(environment, draw, own.policy, num_minibatches=3, minibatch_size=64)
    own.update(collector.collect(own.policy).batch, 0.0)
    networks = ("policy.", "target.network.")
    still = [
        key for key, tensor in own.state_dict().items() if key.startswith(networks) and torch.equal(tensor, before[key])
    ]
    if options.get("inputs") != "concatenated":  # places that no team fills stay as they were
        assert not still
    assert not any(key.startswith("mixer.") for key in own.acting_state())


@every
def test_graphs_that_decide_are_no_team(algorithm: str) -> None:
    with pytest.raises(ValueError, match=f"--algorithm {algorithm}: needs agents that decide for themselves"):
        made(algorithm, VertexCover())


def test_encoders_of_agents_cannot_be_shared_with_the_mixer() -> None:
    environment, _ = ENVIRONMENTS["spins of nodes"]
    with pytest.raises(ValueError, match=r"^--qmix.shared: agents with encoders of their own \(--encoder.individual\)"):
        made("qmix", environment, individual=True, shared=True)


@pytest.mark.parametrize("shared", [False, True])
def test_qmix_learns(shared: bool) -> None:
    """A few seconds of spins: a good part of the way from random choice to the optimum."""
    environment, draw = ENVIRONMENTS["spins of nodes"]
    own = made("qmix", environment, width=16, learning_rate=1e-2, shared=shared)
    collector = remembered(
        environment, draw, own.policy, num_envs=64, num_minibatches=6, minibatch_size=96, capacity=4096, warm_up=512
    )
    for update in range(10):
        own.update(collector.collect(own.policy).batch, update / 10)
    instances = environment.instance(draw(100, seeded(99)))
    reached = environment.objective(play(environment, instances, own.policy.best)).sum()
    drawn = environment.objective(play(environment, instances, random_choice(environment, seeded()))).sum()
    assert reached - drawn > 0.4 * (optimum(environment, instances).sum() - drawn)
