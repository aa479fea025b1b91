"""What is computed again where an observation differs is what the whole graph gives, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from full_pass import assert_equals_full_pass
from graphwright.core import GraphBatch
from graphwright.envs.problems.max_cut.environment import MaxCut
from graphwright.envs.problems.steiner_tree.environment import SteinerTree
from graphwright.envs.problems.tour.environment import Tour
from graphwright.envs.registry import SOLVED
from graphwright.nn import EncoderConfig, GraphPolicy, HeadsConfig
from graphwright.training import decode as decoding
from graphwright.training.compared_play import ComparedPlay
from graphwright.training.decode import decode
from strategies import assert_same_batch, seeded

CASES: dict[str, tuple[Any, str, str | None, EncoderConfig]] = {
    "max-cut": (MaxCut(flips=1.0), "watts-strogatz:k=4,p=0.1", None, EncoderConfig(width=16, aggregation="mean")),
    "max-cut with ties": (MaxCut(flips=1.0), "grid", "one", EncoderConfig("sage", width=16, depth=1, jumping=True)),
    "max-cut with hubs": (MaxCut(flips=0.5), "barabasi-albert:m=2", "signed", EncoderConfig("gcn", width=16, depth=2)),
    "tour": (Tour(), "points", None, EncoderConfig("gat", width=16, depth=2)),
    "tour by sums": (Tour(), "points", "nearest", EncoderConfig(width=16, depth=1)),
    "steiner-tree": (SteinerTree(), "gabriel", None, EncoderConfig("gin", width=16, depth=2)),
    "steiner-tree with ties": (SteinerTree(), "grid", "one", EncoderConfig("gatv2", width=16, depth=1)),
}


def policy_for(environment: Any, encoder: EncoderConfig) -> GraphPolicy:
    """A policy with large random weights; heads alone read columns of graphs, unless these change in few steps."""
    torch.manual_seed(0)
    encoder = replace(encoder, graph_columns=isinstance(environment, SteinerTree))
    policy = GraphPolicy(environment.features, environment.actions, encoder, HeadsConfig())
    with torch.no_grad():
        for parameter in policy.actor.parameters():
            parameter.mul_(8)
    return policy


def instance_of(name: str, topology: str, law: str | None, size: int) -> GraphBatch:
    return SOLVED[name.partition(" ")[0]].generator(topology, (size,), law)(1, seeded())


@pytest.mark.filterwarnings("ignore::graphwright.nn.encoders.EdgeFeaturesIgnored")
@pytest.mark.parametrize("case", CASES)
@torch.no_grad()
def test_decisions_are_those_of_the_full_pass(case: str) -> None:
    environment, topology, law, encoder = CASES[case]
    policy, instance = policy_for(environment, encoder), instance_of(case, topology, law, 64)
    play = ComparedPlay(policy, environment, instance)
    state, steps = assert_equals_full_pass(policy, environment, instance, play)
    assert steps > 5
    assert not play.best().numel()
    assert_same_batch(play.state, state)


def test_large_graphs_are_decided_like_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    environment, topology, law, encoder = CASES["tour"]
    policy = policy_for(environment, encoder)
    batch = GraphBatch.concat([instance_of("tour", topology, law, size) for size in (20, 60, 16)])
    whole = decode(policy, environment, batch)
    monkeypatch.setattr(decoding, "LARGE", 40)
    assert_same_batch(decode(policy, environment, batch), whole)
