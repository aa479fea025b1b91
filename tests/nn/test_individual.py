"""Individual networks: alike they are the shared one, each learns from its own agents, and relabelling permutes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from algorithms.multiagent.teams import made, remembered, rollout_of
from graphwright.core import Observation
from graphwright.envs.registry import find_problem
from graphwright.envs.wrappers.identified import Identified
from graphwright.nn import ActorCritic, EncoderConfig, GraphPolicy, HeadsConfig
from graphwright.nn.individual import Individual
from graphwright.training.collectors.play import IdentityConfig
from strategies import relabelled, seeded

PROBLEM = find_problem("foraging")
IDENTITIES = IdentityConfig("slot", 3)
TEAM = Identified.around(PROBLEM.environment, 3)
DRAW = IDENTITIES.identified(PROBLEM.generator(None, (2, 3), None))
HEADS = HeadsConfig()
ON_POLICY = ["iac", "central-v", "ippo", "mappo", "coma", "ppo"]
OFF_POLICY = ["iql", "vdn", "qmix", "dqn", "sac", "awac", "maddpg"]


def seen(count: int = 4) -> Observation:
    return TEAM.observe(TEAM.reset(DRAW(count, seeded())))


def network(individual: bool, kind: Any = GraphPolicy, *more: Any) -> Any:
    torch.manual_seed(0)
    encoder = EncoderConfig("gin", width=8, depth=2, individual=individual)
    return kind(TEAM.features, TEAM.actions, encoder, HEADS, *more)


def whose(observation: Observation) -> torch.Tensor:
    """[D]: the identity of each agent."""
    return observation.graph.nodes["identity"][TEAM.actions.decider.deciders(observation.graph)[0]].argmax(1)


def alike(own: Any, shared: Any) -> None:
    """Let all copies be the shared module."""
    for name, part in shared.named_children():
        for copy in getattr(own, name).each:
            copy.load_state_dict(part.state_dict())


def test_equal_copies_are_the_shared_network_bit_for_bit() -> None:
    observation = seen()
    own, shared = network(True, ActorCritic, "decisions"), network(False, ActorCritic, "decisions")
    alike(own, shared)
    (policy, value), (expected, expected_value) = own(observation), shared(observation)
    assert torch.equal(policy.logits, expected.logits)
    assert torch.equal(value, expected_value)
    assert torch.equal(own.act(observation, seeded()).action, shared.act(observation, seeded()).action)


def test_different_copies_are_their_networks_agent_by_agent() -> None:
    observation = seen()
    own = network(True)
    logits = own.distribution(observation).logits
    identity, segments = whose(observation), own.distribution(observation).segments
    for number in range(3):
        alone = network(False)
        alone.encoder.load_state_dict(own.encoder.each[number].state_dict())
        alone.actor.load_state_dict(own.actor.each[number].state_dict())
        mine = (identity == number)[segments.index]
        assert torch.equal(logits[mine], alone.distribution(observation).logits[mine])
    assert len({float(copy.heads[0].score.weight.sum().detach()) for copy in own.actor.each}) == 3


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_gradient_reaches_only_the_weights_of_the_agents_that_acted(number: int) -> None:
    observation = seen()
    own = network(True, ActorCritic, "decisions")
    policy, value = own(observation)
    acted = whose(observation) == number
    assert bool(acted.any())
    (policy.log_prob(policy.mode)[acted].sum() + value[acted].sum()).backward()
    for place in range(3):
        moved = [
            bool((parameter.grad if parameter.grad is not None else torch.zeros(1)).abs().sum() > 0)
            for part in (own.encoder, own.actor, own.critic)
            for parameter in part.each[place].parameters()
        ]
        assert any(moved) == (place == number)


def test_agents_that_are_not_there_are_not_asked() -> None:
    own = network(True)
    pair = IdentityConfig("one-hot", 3).identified(PROBLEM.generator(None, (2,), None))
    observation = TEAM.observe(TEAM.reset(pair(2, seeded())))
    own.distribution(observation).entropy.sum().backward()
    assert all(parameter.grad is None for parameter in own.encoder.each[2].parameters())


def test_permuting_agents_with_their_identities_permutes_what_is_said() -> None:
    own = network(True, ActorCritic, "decisions")
    state = TEAM.reset(DRAW(1, seeded()))
    moved, place = relabelled(state, seeded(1))
    graph, other = TEAM.observe(state), TEAM.observe(moved)
    row, new = (TEAM.actions.decider.deciders(each.graph)[0] for each in (graph, other))
    order = [new.tolist().index(int(place[node])) for node in row]
    (policy, value), (again, other_value) = own(graph), own(other)
    width = TEAM.actions.blocks[0].columns
    torch.testing.assert_close(other_value[order], value)
    torch.testing.assert_close(again.logits.view(-1, width)[order], policy.logits.view(-1, width))


@pytest.mark.parametrize("algorithm", [*ON_POLICY, *OFF_POLICY])
def test_every_algorithm_trains_a_network_for_each_agent(algorithm: str) -> None:
    """All weights of all agents move, those of actors, critics, utilities and mixers."""
    own = made(algorithm, TEAM, individual=True)
    assert isinstance(own.policy.actor, Individual)
    before = {name: tensor.clone() for name, tensor in own.state_dict().items() if not name.startswith("target")}
    if algorithm in ON_POLICY:
        batch: Any = rollout_of(TEAM, DRAW, own.policy, num_envs=8)
    else:
        batch = remembered(TEAM, DRAW, own.policy, num_envs=8, num_minibatches=3).collect(own.policy).batch
    own.update(batch, 0.0)
    state = own.state_dict()
    still = [
        name for name in before if name.startswith(("policy.", "critic.")) and torch.equal(before[name], state[name])
    ]
    assert not [name for name in still if "log_scale" not in name]


def test_agents_without_numbers_are_one_line() -> None:
    environment = PROBLEM.environment
    encoder = EncoderConfig("gin", individual=True)
    with pytest.raises(ValueError, match=r"--encoder\.individual: .* give --identity\.kind one-hot") as caught:
        GraphPolicy(environment.features, environment.actions, encoder, HEADS)
    assert "\n" not in str(caught.value)
    graph = seen().graph
    nobody = graph.with_nodes(identity=torch.zeros_like(graph.nodes["identity"]))
    with pytest.raises(ValueError, match=r"--encoder\.individual: an agent is here that has no number"):
        network(True).distribution(Observation(nobody, seen().masks))
