"""Policies of flow networks: what there is of them, conditions that are seen without nodes, and renumbering."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from flow_exact import SMALL, coloured, random_policy, space_of
from graphwright.core import Features, GraphBatch, Observation, relabel
from graphwright.core.segment import segment_sum
from graphwright.envs.generative.environment import blank
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.nn.gflownet_policy import FlowPolicy, LogZ
from strategies import seeded

ALL = frozenset({"backward", "flow", "count", "log_z"})
every_environment = pytest.mark.parametrize("name", SMALL)


@every_environment
@pytest.mark.parametrize("learned", [frozenset(), ALL])
def test_both_distributions_are_over_what_is_legal(name: str, learned: frozenset[str]) -> None:
    environment, _ = SMALL[name]
    states = space_of(name).states
    policy = random_policy(environment, learned)
    masks, backward_masks = environment.observe(states).masks, environment.backward_masks(states)
    found = policy(environment.observe(states).graph, masks, backward_masks)
    for distribution, spec, legal in (
        (found.forward, environment.actions, masks),
        (found.backward, environment.backward_actions, backward_masks),
    ):
        mask, segments = spec.arrange(states, legal), spec.segments(states)
        assert torch.equal(distribution.probs > 0, mask)
        some = segment_sum(mask, segments) > 0
        torch.testing.assert_close(segment_sum(distribution.probs, segments), some.float())
    assert [found.log_flow is not None, found.log_count is not None] == [bool(learned)] * 2


@every_environment
def test_a_backward_policy_that_is_not_learned_is_uniform(name: str) -> None:
    environment, _ = SMALL[name]
    states = space_of(name).states
    backward_masks = environment.backward_masks(states)
    policy = random_policy(environment, frozenset())
    found = policy(environment.observe(states).graph, environment.observe(states).masks, backward_masks).backward
    mask = environment.backward_actions.arrange(states, backward_masks)
    ways = segment_sum(mask, found.segments)
    torch.testing.assert_close(found.probs, torch.where(mask, 1 / ways[found.segments.index], 0.0))
    alone = policy.backward_distribution(environment.observe(states).graph, backward_masks)
    torch.testing.assert_close(alone.log_probs, found.log_probs)


@every_environment
def test_one_pass_is_all_passes(name: str) -> None:
    environment, _ = SMALL[name]
    states = space_of(name).states
    policy = random_policy(environment, ALL)
    seen, masks, backward_masks = (
        environment.observe(states).graph,
        environment.observe(states).masks,
        environment.backward_masks(states),
    )
    found = policy(seen, masks, backward_masks)
    torch.testing.assert_close(found.forward.log_probs, policy.distribution(Observation(seen, masks)).log_probs)
    torch.testing.assert_close(found.backward.log_probs, policy.backward_distribution(seen, backward_masks).log_probs)


def test_renumbering_nodes_changes_no_state() -> None:
    """Flows, counts and the chance to stop of every graph, however its nodes are numbered."""
    environment, _ = SMALL["two colours"]
    states = space_of("two colours").states
    key = states.node_graph + torch.rand(states.num_nodes, generator=seeded(), dtype=torch.float64)
    moved = relabel(states, torch.argsort(torch.argsort(key)))
    policy = random_policy(environment, ALL)

    def seen(some: GraphBatch) -> tuple[Tensor, ...]:
        found = policy(
            environment.observe(some).graph, environment.observe(some).masks, environment.backward_masks(some)
        )
        ways = (found.forward, found.backward)
        spread = [segment_sum(torch.where(way.probs > 0, way.probs**2, 0.0), way.segments) for way in ways]
        return found.log_flow, found.log_count, *spread, found.forward.probs[found.forward.segments.ptr[:-1]]

    for one, other in zip(seen(states), seen(moved), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_conditions_are_seen_of_graphs_without_nodes() -> None:
    """By everything that sees a graph as a whole, and by log Z."""
    environment = coloured(3)
    features = replace(environment.features, graphs={"condition": 2})
    torch.manual_seed(0)
    encoder = EncoderConfig(kind="gin", width=8, depth=1)
    policy = FlowPolicy(features, environment.actions, environment.backward_actions, encoder, HeadsConfig(), ALL)
    for name, parameter in policy.named_parameters():
        if name.endswith("score.weight"):
            torch.nn.init.normal_(parameter)
    conditions = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    state = environment.reset(blank(3).with_graphs(condition=conditions))
    seen = environment.observe(state).graph
    found = policy(seen, environment.observe(state).masks, environment.backward_masks(state))
    log_z = policy.log_z_of(seen, torch.arange(3))
    assert log_z.shape == (3,)
    assert policy.log_z_of(seen, torch.tensor([2, 1])).equal(log_z[[2, 1]])
    for column in (found.forward.log_probs.view(3, -1)[:, 1], found.log_flow, found.log_count, log_z):
        assert column[0] == column[2]
        assert abs(float((column[0] - column[1]).detach())) > 1e-4


def test_log_z_is_one_number_where_nothing_is_told() -> None:
    partition = LogZ(8, 0)
    assert partition(None).shape == ()
    assert list(partition.parameters()) == []
    assert list(partition.state_dict()) == ["constant"]
    environment, _ = SMALL["grid"]
    policy = random_policy(environment, ALL)
    states = space_of("grid").states
    assert policy.log_z_of(environment.observe(states).graph, torch.tensor([0])).item() == 0.0


@pytest.mark.parametrize("learned", [frozenset(), frozenset({"backward"}), frozenset({"flow"}), ALL])
def test_a_policy_has_no_more_than_it_learns(learned: frozenset[str]) -> None:
    """No parameter that nothing could teach."""
    policy = random_policy(SMALL["two colours"][0], learned)
    assert (policy.backward_actor is not None) == ("backward" in learned)
    assert (policy.flow is not None) == ("flow" in learned)
    assert (policy.count is not None) == ("count" in learned)
    assert (policy.log_z is not None) == ("log_z" in learned)


def test_features_are_not_changed() -> None:
    environment, _ = SMALL["grid"]
    before = environment.features
    random_policy(environment, ALL)
    assert environment.features == before
    assert isinstance(before, Features)
