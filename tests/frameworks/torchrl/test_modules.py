from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tensordict import TensorDict
from tensordict.nn import InteractionType, set_interaction_type
from torch import Tensor
from torchrl.modules import MaskedCategorical, ProbabilisticActor

from frameworks.torchrl.graphs import EVERY_KIND, first_observation, gradients, make_policy, padded
from graphwright.core import GraphError, Observation
from graphwright.distributions import RaggedCategorical
from graphwright.envs.environment import Environment
from graphwright.frameworks.schema import Schema
from graphwright.frameworks.torchrl import (
    GraphActor,
    GraphActorCritic,
    GraphCritic,
    GraphLogits,
    observation_to_ragged,
)
from graphwright.frameworks.torchrl.conversion import fill, take
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig

every_kind = pytest.mark.parametrize("environment", EVERY_KIND.values(), ids=EVERY_KIND.keys())
close = {"rtol": 1e-5, "atol": 1e-5}


def dense_action(environment: Environment, observation: Observation, action: Tensor, width: int) -> Tensor:
    """A native action as the padded one."""
    deciders = environment.actions.deciders(observation.graph)
    return fill(action, deciders, width) if environment.actions.continuous else action


@every_kind
@pytest.mark.parametrize("more", [0, 3])
def test_decisions_and_values_are_those_of_the_native_policy(environment: Environment, more: int) -> None:
    observation, policy = first_observation(environment, 6), make_policy(environment)
    graphs = padded(environment, observation, more)
    width = graphs["action_mask"].shape[1]
    actor, critic = GraphActor(policy), GraphCritic(policy)
    native, value = policy(observation)

    torch.testing.assert_close(critic(graphs)["state_value"], value.unsqueeze(1), **close)
    distribution = actor.get_dist(graphs)
    spec, graph = environment.actions, observation.graph
    torch.testing.assert_close(distribution.entropy(), spec.joint(graph, native.entropy), **close)
    action = native.sample(torch.Generator().manual_seed(0))
    dense = dense_action(environment, observation, action, width)
    torch.testing.assert_close(distribution.log_prob(dense), spec.joint(graph, native.log_prob(action)), **close)
    best = dense_action(environment, observation, policy.best(observation), width)
    torch.testing.assert_close(distribution.mode, best, **close)

    if isinstance(native, RaggedCategorical):
        torch.testing.assert_close(take(distribution.probs, native.segments), native.probs, **close)
        assert torch.equal(distribution.probs > 0, graphs["action_mask"])
    total = distribution.log_prob(dense).sum() + distribution.entropy().sum()
    torch.testing.assert_close(
        gradients(policy, total), gradients(policy, (native.log_prob(action) + native.entropy).sum()), **close
    )


@every_kind
def test_any_batch_shape(environment: Environment) -> None:
    graphs = padded(environment, first_observation(environment, 6))
    both = GraphActorCritic(make_policy(environment))
    with set_interaction_type(InteractionType.DETERMINISTIC), torch.no_grad():
        flat, square = both(graphs.clone()), both(graphs.clone().view(2, 3))
        single = both(graphs[4].clone())
    for key in both.out_keys:
        torch.testing.assert_close(square[key].flatten(0, 1), flat[key], **close)
        torch.testing.assert_close(single[key], flat[key][4], **close)


@every_kind
def test_one_pass_says_what_two_say(environment: Environment) -> None:
    graphs = padded(environment, first_observation(environment, 5))
    both = GraphActorCritic(make_policy(environment))
    actor, critic = both.get_policy_operator(), both.get_value_operator()
    with set_interaction_type(InteractionType.DETERMINISTIC), torch.no_grad():
        together, apart = both(graphs.clone()), critic(actor(graphs.clone()))
    assert set(together.keys()) == set(apart.keys())
    for key in both.out_keys:
        torch.testing.assert_close(together[key], apart[key], **close)
    assert {id(p) for p in actor.parameters()} == {id(p) for p in critic.parameters()}


@every_kind
def test_lazy_stacks_of_ragged_graphs(environment: Environment) -> None:
    """Graphs of different sizes, each with its own shapes, need no padding at all."""
    observation = first_observation(environment, 5)
    both = GraphActorCritic(make_policy(environment))
    ragged = observation_to_ragged(observation, Schema(environment.features, environment.actions))
    with set_interaction_type(InteractionType.DETERMINISTIC), torch.no_grad():
        expected, jagged = both(padded(environment, observation)), both(ragged.densify(layout=torch.jagged))
        read = both(ragged)
    for key in both.out_keys:
        torch.testing.assert_close(read[key], expected[key], **close)
        torch.testing.assert_close(jagged[key], expected[key], **close)


def test_a_module_works_on_larger_graphs_than_it_was_made_for() -> None:
    environment = EVERY_KIND["vertex cover"]
    policy = make_policy(environment)
    actor = GraphActor(policy)
    actor(padded(environment, first_observation(environment, 3)))
    large = first_observation(environment, 2, sizes=(150,))
    with set_interaction_type(InteractionType.DETERMINISTIC):
        assert torch.equal(actor(padded(environment, large))["action"], policy.best(large))


@every_kind
def test_a_saved_state_decides_equally_at_another_size(environment: Environment, tmp_path: Path) -> None:
    observation = first_observation(environment, 3)
    saved, other = GraphActorCritic(make_policy(environment)), GraphActorCritic(make_policy(environment))
    for parameter in other.parameters():
        torch.nn.init.normal_(parameter)
    saved(padded(environment, observation))
    torch.save(saved.state_dict(), tmp_path / "module.pt")
    other.load_state_dict(torch.load(tmp_path / "module.pt", weights_only=True))
    large = first_observation(environment, 2, sizes=(30, 40))
    native = make_policy(environment)
    native.load_state_dict(other.module[0].policy.state_dict())
    with set_interaction_type(InteractionType.DETERMINISTIC), torch.no_grad():
        expected = saved(padded(environment, large))
        found = other(padded(environment, large))
        for key in saved.out_keys:
            torch.testing.assert_close(found[key], expected[key], rtol=0, atol=0)
        width = int(environment.actions.graph_segments(large.graph).lengths.max())
        best = dense_action(environment, large, native.best(large), width)
    torch.testing.assert_close(
        found["action" if environment.actions.one_per_graph else ("agents", "action")], best, **close
    )


def test_one_hot_actions_are_the_same_actions() -> None:
    environment = EVERY_KIND["vertex cover"]
    graphs, policy = padded(environment, first_observation(environment, 4)), make_policy(environment)
    integer, one_hot = GraphActor(policy), GraphActor(policy, one_hot=True)
    with set_interaction_type(InteractionType.DETERMINISTIC):
        one, other = integer(graphs.clone()), one_hot(graphs.clone())
    assert torch.equal(other["action"].long().argmax(-1), one["action"])
    torch.testing.assert_close(other["action_log_prob"], one["action_log_prob"])


def test_logits_serve_masked_distributions_of_torchrl() -> None:
    environment = EVERY_KIND["vertex cover"]
    graphs, policy = padded(environment, first_observation(environment, 4), more=2), make_policy(environment)
    masked = ProbabilisticActor(
        GraphLogits(policy),
        in_keys={"logits": "logits", "mask": "action_mask"},
        distribution_class=MaskedCategorical,
        return_log_prob=True,
    )
    action = masked(graphs)["action"]
    torch.testing.assert_close(
        masked.get_dist(graphs).log_prob(action), GraphActor(policy).get_dist(graphs).log_prob(action)
    )


def test_a_finished_graph_gives_no_nan() -> None:
    environment = EVERY_KIND["vertex cover"]
    graphs = padded(environment, first_observation(environment, 2))
    graphs["action_mask"] = torch.zeros_like(graphs["action_mask"])
    result = GraphActorCritic(make_policy(environment))(graphs)
    assert all(bool(result[key].isfinite().all()) for key in ("logits", "action_log_prob", "state_value"))


def test_draws_of_nodes_are_reparametrised() -> None:
    environment = EVERY_KIND["continuous"]
    graphs, policy = padded(environment, first_observation(environment, 3)), make_policy(environment)
    drawn = GraphActor(policy).get_dist(graphs).rsample((4,))
    assert drawn.shape == (4, *graphs["action_mask"].shape, 1)
    assert bool((drawn[:, ~graphs["action_mask"]] == 0).all())
    assert "actor.head.mean.weight" in gradients(policy, drawn.sum())


def test_bad_input_gets_one_clear_line() -> None:
    joining = EVERY_KIND["pairs"]
    two_stage = ActorCritic(joining.features, joining.actions, EncoderConfig(width=8), HeadsConfig())
    with pytest.raises(ValueError, match=r"HeadsConfig\(pairs='ends'\)"):
        GraphActor(two_stage)
    critic = GraphCritic(make_policy(EVERY_KIND["vertex cover"]))
    with pytest.raises(GraphError, match=r"no nodes, edge_index, .* give DenseGraphs"):
        critic(TensorDict(observation=torch.zeros(2, 3), batch_size=[2]))


def test_numbers_of_agents_have_probabilities_and_values_of_their_own() -> None:
    environment = EVERY_KIND["continuous"]
    observation = first_observation(environment, 4)
    parts = environment.features, environment.actions, EncoderConfig(width=8, depth=1), HeadsConfig()
    policy = ActorCritic(*parts, "decisions")
    graphs, deciders = padded(environment, observation, 2), environment.actions.deciders(observation.graph)
    native, value = policy(observation)
    action, width = native.sample(torch.Generator().manual_seed(0)), graphs["action_mask"].shape[1]
    distribution = GraphActor(policy).get_dist(graphs)
    torch.testing.assert_close(
        take(distribution.log_prob(fill(action, deciders, width)), deciders), native.log_prob(action)
    )
    torch.testing.assert_close(take(distribution.entropy(), deciders), native.entropy)
    critic = GraphCritic(policy)(graphs)["agents", "state_value"]
    torch.testing.assert_close(take(critic.squeeze(2), deciders), value)
