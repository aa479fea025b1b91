"""What is decided at the cost of what changes is what is decided with the whole graph in view."""

from __future__ import annotations

import pytest
import torch

from full_pass import assert_equals_full_pass
from graphwright.core import GraphBatch, Observation
from graphwright.envs.environment import Environment
from graphwright.envs.local import Local
from graphwright.envs.problems.graph_robustness.environment import GraphRobustness
from graphwright.envs.problems.independent_set.environment import IndependentSet
from graphwright.envs.problems.max_cut.environment import MaxCut
from graphwright.envs.problems.public_goods.environment import PublicGoods
from graphwright.envs.problems.steiner_tree.environment import SteinerTree
from graphwright.envs.problems.tour.environment import Tour
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.envs.registry import SOLVED, simultaneous_problems
from graphwright.nn import EncoderConfig, GraphPolicy, HeadsConfig
from graphwright.training import decode as decoding
from graphwright.training.decode import decode
from graphwright.training.local_play import LocalPlay, why_not_played_locally
from strategies import alone, assert_same_batch, seeded

LOCAL = [("vertex-cover", VertexCover()), ("independent-set", IndependentSet()), ("public-goods", PublicGoods())]
ENCODERS = {
    "sum": EncoderConfig(width=16, depth=2),
    "mean": EncoderConfig("sage", width=16, depth=1, jumping=True),
    "degrees": EncoderConfig("gcn", width=16, depth=2, residual=False),
    "attention": EncoderConfig("gatv2", width=16, depth=1, norm=False),
}


def policy_for(environment: Environment, encoder: EncoderConfig, heads: HeadsConfig | None = None) -> GraphPolicy:
    """A policy with large random weights, so that its decisions differ from node to node."""
    torch.manual_seed(0)
    policy = GraphPolicy(environment.features, environment.actions, encoder, heads or HeadsConfig())
    with torch.no_grad():
        for parameter in policy.actor.parameters():
            parameter.mul_(8)
    return policy


def instances_of(name: str, topology: str, size: int, law: str | None = None, count: int = 1) -> GraphBatch:
    return SOLVED[name].generator(topology, (size,), law)(count, seeded())


@torch.no_grad()
def assert_played_as_in_full_pass(policy: GraphPolicy, environment: Local, instance: GraphBatch) -> None:
    """The law, and the same state at the end."""
    play = LocalPlay(policy, environment, instance)
    state, _ = assert_equals_full_pass(policy, environment, instance, play)
    assert_same_batch(play.final(), state)


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize(("name", "environment"), LOCAL)
def test_decisions_are_those_of_the_full_pass(name: str, environment: Local, encoder: str) -> None:
    law = "one" if encoder == "sum" and name != "public-goods" else None  # with many ties
    policy = policy_for(environment, ENCODERS[encoder], HeadsConfig(pool="sum" if encoder == "mean" else "mean"))
    for topology in ("watts-strogatz:k=4,p=0.1", "barabasi-albert:m=2", "erdos-renyi:p=0.02"):
        assert_played_as_in_full_pass(policy, environment, instances_of(name, topology, 70, law))


def test_ties_are_broken_as_in_the_full_pass() -> None:
    """On a torus all nodes look alike until the first decision, and many do after it."""
    environment = VertexCover()
    assert_played_as_in_full_pass(
        policy_for(environment, ENCODERS["sum"]), environment, instances_of("vertex-cover", "grid", 64, "one")
    )


@pytest.mark.parametrize(("name", "environment"), LOCAL)
def test_parallel_decisions_are_legal_apart_and_complete(name: str, environment: Local) -> None:
    instance = instances_of(name, "barabasi-albert:m=2", 90)
    policy = policy_for(environment, ENCODERS["sum"])
    with torch.no_grad():
        play = LocalPlay(policy, environment, instance)
        state = environment.reset(instance)
        while (nodes := play.best_around(1, 0.3)).numel():
            observation = environment.observe(state)
            score = policy.distribution(observation).logits
            source, destination = observation.graph.edge_index
            taken = nodes.numel() + int(torch.isin(destination, nodes).sum())
            assert environment.reach == 0 or len(nodes) == 1 or 4 * taken <= int(observation.masks[0].sum())
            assert not torch.isin(source[torch.isin(destination, nodes)], nodes).any()
            for node in nodes.tolist():
                around = source[destination == node]
                assert not (score[around] > score[node]).any()
            for node in nodes.flip(0).tolist():  # in any order
                assert bool(environment.observe(state).masks[0][node])
                state = environment.step(state, torch.tensor([node])).state
            play.decide(nodes)
            assert_same_batch(play.final(), state)
    assert bool(environment.is_complete(play.final()).all())
    batch = instances_of(name, "watts-strogatz", 30, count=3)
    found = decode(policy, environment, batch, "parallel")
    assert bool(environment.is_complete(found).all())
    for graph in range(3):
        assert_same_batch(alone(found, graph), decode(policy, environment, alone(batch, graph), "parallel"))


@torch.no_grad()
def test_what_was_seen_is_no_column_of_the_instance() -> None:
    """A single column of numbers is the network's input as it is; what is written over must be another one."""

    class AsTheyAre(PublicGoods):
        columns = ("cost",)

        def observe(self, state: GraphBatch) -> Observation:
            return Observation(state, super().observe(state).masks)

    environment, instance = AsTheyAre(), instances_of("public-goods", "grid", 9)
    play = LocalPlay(policy_for(environment, ENCODERS["sum"]), environment, instance)
    play._seen.fill_(-1)
    assert float(instance.nodes["cost"].min()) >= 0


def test_few_are_decided_at_once_where_each_takes_many() -> None:
    """Of the words of hamming8-4 all look alike: eight taken at once were a whole set, half of what there is."""
    environment = IndependentSet(columns=("weight", "relative_degree"))
    policy = policy_for(environment, EncoderConfig(width=16, depth=0))
    with torch.no_grad():
        play = LocalPlay(policy, environment, instances_of("independent-set", "hamming:n=8,d=4", 256, "one"))
        assert play.best_around(1, 0.03).tolist() == [0]
        assert len(play.best_around(1, 1.0)) == 1


@pytest.mark.parametrize(("name", "environment"), LOCAL)
def test_deciding_at_once_is_one_step_after_the_other(name: str, environment: Local) -> None:
    state = environment.reset(instances_of(name, "watts-strogatz", 30))
    for node in (0, 15):
        step = environment.step(state, torch.tensor([node])).state
        assert_same_batch(environment.decide(state, torch.tensor([node])), step)
    later = environment.step(step, torch.tensor([0])).state
    assert_same_batch(environment.decide(state, torch.tensor([0, 15])), later)


def test_large_graphs_are_decided_like_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = VertexCover()
    policy = policy_for(environment, ENCODERS["sum"])
    batch = GraphBatch.concat([instances_of("vertex-cover", "watts-strogatz", size) for size in (20, 60, 16, 50)])
    whole = decode(policy, environment, batch)
    monkeypatch.setattr(decoding, "LARGE", 40)
    assert_same_batch(decode(policy, environment, batch), whole)


@pytest.mark.parametrize(
    ("environment", "encoder", "heads", "reason"),
    [
        (GraphRobustness(), EncoderConfig(width=16), HeadsConfig(), "does not say"),
        (Tour("append"), EncoderConfig("gat", width=16, graph_columns=False), HeadsConfig(), "all decisions"),
        (MaxCut(), EncoderConfig(width=16), HeadsConfig(), "--encoder.no-graph-columns"),
        (SteinerTree(), EncoderConfig("edge-gated", width=16, graph_columns=False), HeadsConfig(), "edges have states"),
        (VertexCover(view="all"), EncoderConfig(width=16), HeadsConfig(), "all decisions"),
        (VertexCover(), EncoderConfig("graph-transformer", width=16), HeadsConfig(), "layer sees"),
        (VertexCover(), EncoderConfig(width=16, virtual_node=True), HeadsConfig(), "virtual node"),
        (VertexCover(), EncoderConfig(width=16), HeadsConfig(pool="max"), "--heads.pool"),
        (VertexCover(), EncoderConfig(width=16), HeadsConfig(nodes="proto-cosine"), "score each node"),
    ],
)
def test_what_looks_at_the_whole_graph_is_said(
    environment: Environment, encoder: EncoderConfig, heads: HeadsConfig, reason: str
) -> None:
    said = why_not_played_locally(GraphPolicy(environment.features, environment.actions, encoder, heads), environment)
    assert said is not None
    assert reason in said


def test_the_problems_that_decide_many_nodes_at_once_are_listed() -> None:
    assert simultaneous_problems() == ["vertex-cover", "independent-set", "public-goods", "max-cut"]
