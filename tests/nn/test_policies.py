"""Policies: batching changes nothing, relabelling permutes, and only legal candidates are chosen."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, per_node
from graphwright.nn import ActorCritic, EncoderConfig, GraphPolicy, HeadsConfig
from graphwright.nn.critics import GraphValue
from graphwright.nn.encoders import Embedding
from graphwright.nn.heads.node import NodeScore
from graphwright.nn.pools import Pool
from strategies import alone, assert_same, ragged_batches, relabelled, seeded, seeds

FEATURES = Features(nodes={"x": 3}, edges={"w": 2}, graphs={"g": 1})
SPECS = {"one block": ActionSpec(per_node("a")), "two": ActionSpec(per_node("a", 2), per_node("b"))}
POOLS = ["sum", "mean", "max", "sum-mean-max"]
few = settings(max_examples=20)


def make(spec: ActionSpec, heads: HeadsConfig | None = None) -> ActorCritic:
    """A policy whose first scores are not small, so that its choices show."""
    torch.manual_seed(0)
    policy = ActorCritic(FEATURES, spec, EncoderConfig(width=8, depth=2), heads or HeadsConfig())
    for head in policy.actor.heads:
        torch.nn.init.normal_(head.score.weight, std=2)
    return policy


def observation(spec: ActionSpec, graph: GraphBatch, seed: int) -> Observation:
    """A third of the candidates are masked."""
    generator = seeded(seed)
    shapes = [(graph.num_nodes, block.columns) for block in spec.blocks]
    return Observation(graph, tuple(torch.rand(shape, generator=generator) > 1 / 3 for shape in shapes))


def at(seen: Observation, graph: int) -> Observation:
    """What is seen of one graph."""
    rows = seen.graph.node_graph == graph
    return Observation(alone(seen.graph, graph), tuple(mask[rows] for mask in seen.masks))


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("name", SPECS)
@given(graph=ragged_batches(), seed=seeds)
@few
def test_batching_changes_nothing(name: str, pool: str, graph: GraphBatch, seed: int) -> None:
    spec = SPECS[name]
    policy, seen = make(spec, HeadsConfig(pool, pool)), observation(spec, graph, seed)
    distribution, value = policy(seen)
    parts = distribution.log_probs.split(spec.segments(graph).lengths.tolist())
    for index, log_probs in enumerate(parts):
        single, single_value = policy(at(seen, index))
        torch.testing.assert_close(log_probs, single.log_probs, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(value[[index]], single_value, rtol=1e-4, atol=1e-5)


@given(ragged_batches(), seeds)
def test_relabelling_permutes_scores_and_leaves_values(graph: GraphBatch, seed: int) -> None:
    spec = SPECS["one block"]
    policy, seen = make(spec), observation(spec, graph, seed)
    moved, place = relabelled(graph, seeded(seed))
    distribution, value = policy(seen)
    other, other_value = policy(Observation(moved, (seen.masks[0][torch.argsort(place)],)))
    torch.testing.assert_close(other.log_probs[place], distribution.log_probs, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(other_value, value, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(other.entropy, distribution.entropy, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SPECS)
@given(graph=ragged_batches(), seed=seeds)
@few
def test_what_is_done_is_legal_and_has_its_log_probability(name: str, graph: GraphBatch, seed: int) -> None:
    spec = SPECS[name]
    policy, seen = make(spec), observation(spec, graph, seed)
    legal = spec.arrange(graph, seen.masks).split(spec.segments(graph).lengths.tolist())
    decision, best = policy.act(seen, seeded(seed)), policy.best(seen)
    for choice in (decision.action, best):
        assert [bool(mask.any()) for mask in legal] == (choice >= 0).tolist()
        assert all(mask[place] for mask, place in zip(legal, choice, strict=True) if place >= 0)
    distribution = policy.distribution(seen)
    torch.testing.assert_close(decision.log_prob, distribution.log_prob(decision.action).detach())
    assert_same(best, distribution.mode)
    assert not decision.log_prob.requires_grad


@given(ragged_batches(), seeds)
def test_actor_and_critic_alone_are_those_of_the_whole(graph: GraphBatch, seed: int) -> None:
    spec = SPECS["two"]
    policy, seen = make(spec), observation(spec, graph, seed)
    distribution, value = policy(seen)
    assert_same(policy.distribution(seen).log_probs, distribution.log_probs)
    assert_same(policy.value(seen), value)


def test_a_policy_without_a_critic_loads_what_was_trained_with_one() -> None:
    trained = make(SPECS["two"])
    acting = GraphPolicy(FEATURES, SPECS["two"], EncoderConfig(width=8, depth=2), HeadsConfig())
    acting.load_state_dict(trained.acting_state())
    assert {name for name, _ in trained.named_parameters()} - {name for name, _ in acting.named_parameters()} == {
        f"critic.mlp.{layer}.{kind}" for layer in (0, 2) for kind in ("weight", "bias")
    }
    for name, tensor in acting.state_dict().items():
        assert torch.equal(tensor, trained.state_dict()[name])


@pytest.mark.parametrize("wanted", [False, True])
def test_values_read_graph_columns_where_the_heads_say_so(wanted: bool) -> None:
    """A graph without nodes has nothing else to be told apart by."""
    policy = make(SPECS["one block"], HeadsConfig(graph_columns=wanted))
    empty = GraphBatch(torch.zeros(2, 0).long(), torch.zeros(3).long(), torch.zeros(3).long())
    graph = empty.with_nodes(x=torch.zeros(0, 3)).with_edges(w=torch.zeros(0, 2)).with_graphs(g=torch.tensor([0.0, 9]))
    one, other = policy.value(Observation(graph, (torch.zeros(0, 1, dtype=torch.bool),))).tolist()
    assert (one != other) == wanted


@pytest.mark.parametrize("pooling", POOLS)
@given(graph=ragged_batches(), seed=seeds)
@few
def test_a_pool_is_a_loop_over_graphs(pooling: str, graph: GraphBatch, seed: int) -> None:
    x = torch.randn(graph.num_nodes, 4, generator=seeded(seed))
    pooled = Pool(pooling, 4)(x, graph.node_segments)
    reductions = {"sum": lambda rows: rows.sum(0), "mean": lambda rows: rows.mean(0), "max": lambda rows: rows.amax(0)}
    for index in range(graph.num_graphs):
        rows = x[graph.node_graph == index]
        parts = [reductions[name](rows) if len(rows) else torch.zeros(4) for name in pooling.split("-")]
        torch.testing.assert_close(pooled[index], torch.cat(parts))


@pytest.mark.parametrize("pooling", POOLS)
@given(graph=ragged_batches(), seed=seeds)
@few
def test_node_scores_are_an_mlp_on_the_concatenation(pooling: str, graph: GraphBatch, seed: int) -> None:
    torch.manual_seed(seed)
    head, x = NodeScore(4, 2, pooling), torch.randn(graph.num_nodes, 4)
    context = head.pool(x, graph.node_segments)[graph.node_graph]
    weight = torch.cat([head.node.weight, head.graph.weight], dim=1)
    hidden = torch.relu(torch.cat([x, context], dim=1) @ weight.T + head.node.bias)
    found = head(Embedding(x, None), graph, torch.ones(graph.num_nodes, dtype=torch.bool))
    torch.testing.assert_close(found, head.score(hidden), rtol=1e-4, atol=1e-5)


@given(st.integers(0, 3))
def test_the_value_of_a_sum_grows_with_the_graph(copies: int) -> None:
    """A graph of several equal parts has the pooled embedding of one part, several times."""
    head = GraphValue(4, "sum")
    graph = GraphBatch(torch.zeros(2, 0).long(), torch.tensor([0, copies]), torch.zeros(2).long())
    x = torch.ones(copies, 4)
    torch.testing.assert_close(head(Embedding(x, None), graph), head.mlp(copies * torch.ones(1, 4)).squeeze(1))


def test_the_first_policy_is_close_to_uniform() -> None:
    torch.manual_seed(0)
    policy = ActorCritic(FEATURES, SPECS["one block"], EncoderConfig(), HeadsConfig())
    graph = GraphBatch(torch.zeros(2, 0).long(), torch.tensor([0, 50]), torch.zeros(2).long())
    graph = graph.with_nodes(x=torch.randn(50, 3)).with_edges(w=torch.zeros(0, 2)).with_graphs(g=torch.ones(1))
    masks: tuple[Tensor] = (torch.ones(50, dtype=torch.bool),)
    probs = policy.distribution(Observation(graph, masks)).probs
    assert probs.max() < 1.3 / 50
    assert probs.min() > 0.7 / 50
