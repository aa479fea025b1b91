"""Actors with a value for each objective: where each value stands, what is preferred, and what cannot be valued."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from environments import PAIR
from flow_exact import SMALL, space_of
from graphwright.core import ActionSpec, Features, GraphBatch, Observation, per_edge, per_neighbour, per_node, per_pair
from graphwright.core.segment import segment_log_softmax
from graphwright.core.timestep import PREFERENCE
from graphwright.distributions import PreferenceCategorical
from graphwright.envs.reversible import Reversible
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.nn.encoders import Encoder
from graphwright.nn.gflownet_policy import FlowPolicy
from graphwright.nn.preference_actor import PreferenceActor
from strategies import seeded

every_environment = pytest.mark.parametrize("name", SMALL)
EXTRAS = frozenset({"values"})
TEMPERATURE = 0.25


def make(environment: Reversible, objectives: int) -> FlowPolicy:
    torch.manual_seed(0)
    features = replace(environment.features, graphs={**environment.features.graphs, PREFERENCE: objectives})
    encoder = EncoderConfig(kind="gin", width=8, depth=2)
    specs = environment.actions, environment.backward_actions
    policy = FlowPolicy(features, *specs, encoder, HeadsConfig(), EXTRAS, objectives, TEMPERATURE)
    for name, parameter in policy.named_parameters():
        if name.endswith("score.weight"):
            torch.nn.init.normal_(parameter)
    return policy


def preferring(states: GraphBatch, objectives: int) -> GraphBatch:
    weights = torch.rand(states.num_graphs, objectives, generator=seeded())
    return states.with_graphs(**{PREFERENCE: weights / weights.sum(1, keepdim=True)})


@torch.no_grad()
def distribution_of(policy: FlowPolicy, environment: Reversible, states: GraphBatch) -> PreferenceCategorical:
    found = policy.distribution(environment.observe(states))
    assert isinstance(found, PreferenceCategorical)
    return found


@every_environment
@pytest.mark.parametrize("objectives", [1, 3])
def test_the_policy_prefers_what_is_worth_most(name: str, objectives: int) -> None:
    """log P = log softmax of w · Q / temperature over what is legal; Q of actions is found where actions are."""
    environment, _ = SMALL[name]
    states = preferring(space_of(name).states, objectives)
    found = distribution_of(make(environment, objectives), environment, states)
    legal = environment.actions.arrange(states, environment.observe(states).masks)
    assert found.values.shape == (legal.numel(), objectives)
    worth = torch.zeros(legal.numel())
    for objective in range(objectives):
        worth += found.values[:, objective] * states.graphs[PREFERENCE][found.segments.index, objective]
    expected = segment_log_softmax((worth / TEMPERATURE).masked_fill(~legal, -torch.inf), found.segments)
    torch.testing.assert_close(found.log_probs, expected)
    some = torch.rand(states.num_graphs, generator=seeded()) < 0.5
    action = found.sample(seeded())
    some &= action >= 0
    rows = found.segments.ptr[:-1][some] + action[some]
    assert torch.equal(found.values_of(action, some), found.values[rows])


@every_environment
def test_each_candidate_has_the_values_that_its_head_gave_it(name: str) -> None:
    """Columns of a block come before objectives: candidate c of a row has the scores c · K to c · K + K - 1."""
    environment, _ = SMALL[name]
    states = preferring(space_of(name).states, 2)
    policy = make(environment, 2)
    seen, masks = environment.observe(states).graph, environment.observe(states).masks
    with torch.no_grad():
        embedding = policy.encoder(seen)
        found = policy.actor(embedding, Observation(seen, masks))
        for place, (head, mask) in enumerate(zip(policy.actor.heads, masks, strict=True)):
            wide = mask.unsqueeze(-1).expand(*mask.shape, 2)
            scores = head(embedding, seen, wide.flatten(1)).reshape(wide.shape)
            for objective in range(2):
                own = environment.actions.divide(states, found.values[:, objective].contiguous())[place]
                assert torch.equal(own[mask], scores[..., objective][mask])


@every_environment
def test_values_are_the_same_whatever_the_batch_mates(name: str) -> None:
    environment, _ = SMALL[name]
    states = preferring(space_of(name).states, 2)
    policy = make(environment, 2)
    together = distribution_of(policy, environment, states)
    parts = together.values.split(together.segments.lengths.tolist())
    for row in range(0, states.num_graphs, 7):
        alone = distribution_of(policy, environment, states.select(torch.tensor([row])))
        legal = alone.mask
        torch.testing.assert_close(parts[row][legal], alone.values[legal], rtol=1e-4, atol=1e-5)


def test_without_preferences_all_objectives_count_alike() -> None:
    environment, _ = SMALL["grid"]
    states = space_of("grid").states
    torch.manual_seed(0)
    specs = environment.actions, environment.backward_actions
    encoder = EncoderConfig(kind="gin", width=8, depth=1)
    policy = FlowPolicy(environment.features, *specs, encoder, HeadsConfig(), EXTRAS, 4, TEMPERATURE)
    found = distribution_of(policy, environment, states)
    assert torch.equal(found.weights, torch.full((states.num_graphs, 4), 0.25))


@pytest.mark.parametrize(
    ("spec", "heads", "message"),
    [
        (ActionSpec(per_node("a")), HeadsConfig(nodes="proto-distance"), r"proto-distance \(--heads\.nodes\).* score"),
        (ActionSpec(per_edge("a")), HeadsConfig(edges="two-stage"), r"two-stage \(--heads\.edges\).* ends-sum"),
        (ActionSpec(per_edge("a")), HeadsConfig(edges="gaussian"), r"gaussian \(--heads\.edges\).* ends-sum"),
        (ActionSpec(per_pair("a")), HeadsConfig(), r"two-stage \(--heads\.pairs\).* ends"),
        (ActionSpec(per_pair("a")), HeadsConfig(pairs="gaussian"), r"gaussian \(--heads\.pairs\).* ends"),
    ],
)
def test_scores_that_are_no_free_numbers_are_refused(spec: ActionSpec, heads: HeadsConfig, message: str) -> None:
    encoder = Encoder(Features({"x": 1}), EncoderConfig(width=4, depth=1))
    with pytest.raises(ValueError, match=message):
        PreferenceActor(spec, encoder, heads, 1, 1.0)


@pytest.mark.parametrize("actions", [ActionSpec(per_neighbour("go")), ActionSpec(per_pair("join"))])
def test_neighbours_and_pairs_are_valued_for_every_objective(actions: ActionSpec) -> None:
    torch.manual_seed(0)
    encoder = Encoder(Features({"weight": 1}), EncoderConfig(width=4, depth=1))
    actor = PreferenceActor(actions, encoder, HeadsConfig(pairs="ends"), 3, 1.0)
    graph = PAIR.with_graphs(at=torch.tensor([1]))
    rows = actions.segments(graph).num_rows
    found = actor(encoder(graph), Observation(graph, (torch.ones(rows, dtype=torch.bool),)))
    assert found.values.shape == (rows, 3)
    assert found.values[0].unique().numel() == 3
    torch.testing.assert_close(found.probs.sum(), torch.tensor(1.0))


def test_gradients_reach_every_objective() -> None:
    environment, _ = SMALL["two colours"]
    states = preferring(space_of("two colours").states, 3)
    policy = make(environment, 3)
    found = policy.distribution(environment.observe(states))
    assert isinstance(found, PreferenceCategorical)
    gradients: list[Tensor] = []
    for objective in range(3):
        policy.zero_grad()
        found.values[found.mask, objective].sum().backward(retain_graph=True)
        gradients.append(policy.actor.heads[0].score.weight.grad.clone())
        assert bool((gradients[-1].abs().sum(1) > 0).tolist() == [place == objective for place in range(3)])
