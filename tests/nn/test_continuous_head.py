"""The head of real-valued actions: batching, numbering and masks change nothing; both kinds of scale learn."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, per_decider
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig
from graphwright.nn.heads.continuous import Scale
from strategies import alone, ragged_batches, relabelled, seeded

SCALES: tuple[Scale, ...] = ("learned", "state")
each_scale = pytest.mark.parametrize("scale", SCALES)


def make(scale: Scale) -> ActorCritic:
    torch.manual_seed(0)
    features = Features(nodes={"x": 3}, edges={"w": 2}, graphs={"g": 1})
    encoder = EncoderConfig(kind="gin", width=8, depth=2)
    actions = ActionSpec(per_decider("a", continuous=2), decider="nodes")
    return ActorCritic(features, actions, encoder, HeadsConfig(scale=scale))


def observe(graph: GraphBatch) -> Observation:
    """Nodes of kind 1 act."""
    acts = graph.nodes["kind"] == 1
    return Observation(graph.with_nodes(acts=acts), (torch.ones_like(acts[acts]),))


@each_scale
@given(graph=ragged_batches(undirected=True))
def test_batching_and_numbering_change_nothing(scale: Scale, graph: GraphBatch) -> None:
    policy = make(scale)
    distribution, value = policy(observe(graph))
    acting = graph.node_graph[graph.nodes["kind"] == 1]
    assert distribution.mean.shape == distribution.scale.shape == (acting.numel(), 2)
    action = distribution.sample(seeded())
    for index in range(graph.num_graphs):
        rows = acting == index
        single, single_value = policy(observe(alone(graph, index)))
        torch.testing.assert_close(single.mode, distribution.mode[rows], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(
            single.log_prob(action[rows]), distribution.log_prob(action)[rows], atol=1e-4, rtol=1e-4
        )
        torch.testing.assert_close(single_value, value[[index]], atol=1e-5, rtol=1e-4)
    moved, place = relabelled(graph, seeded(1))
    other, _ = policy(observe(moved))
    before, after = (one.nodes["kind"] == 1 for one in (graph, moved))
    found = torch.zeros(graph.num_nodes, 2).masked_scatter(after[:, None], other.mode)[place][before]
    torch.testing.assert_close(found, distribution.mode, atol=1e-5, rtol=1e-4)


@each_scale
def test_a_fresh_policy_is_broad_and_centred_and_all_of_it_learns(scale: Scale) -> None:
    generator = seeded(2)
    graph = GraphBatch(
        torch.tensor([[1, 0], [0, 1]]),
        torch.tensor([0, 2]),
        torch.tensor([0, 2]),
        nodes={"x": torch.randn(2, 3, generator=generator), "kind": torch.ones(2)},
        edges={"w": torch.randn(2, 2, generator=generator)},
        graphs={"g": torch.randn(1, generator=generator)},
    )
    policy = make(scale)
    distribution, value = policy(observe(graph))
    assert distribution.mean.abs().max() < 0.2
    assert distribution.scale.log().flatten().tolist() == pytest.approx([-0.5] * 4, abs=0.2)
    (distribution.log_prob(torch.full((2, 2), 0.3)).sum() + value.sum()).backward()
    for name, parameter in policy.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    assert bool(distribution.entropy.isfinite().all())
