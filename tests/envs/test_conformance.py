"""The conformance test passes environments that keep the contract, and names the rule that another breaks."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from environments import ENVIRONMENTS, Walk
from graphwright.core import Features, GraphBatch, Observation, Step
from graphwright.envs.conformance import ConformanceError, check_environment
from graphwright.envs.environment import Environment
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER, VertexCover
from strategies import cover_instances


class InPlace(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        state.nodes["selected"][state.node_ptr[:-1] + action] = True
        return super().step(state, action)


class InPlaceWhenObserved(Walk):
    def observe(self, state: GraphBatch) -> Observation:
        state.nodes["visits"].fill_(7)
        return super().observe(state)


class FirstNode(VertexCover):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        first = seen.graph.node_segments.position.float()
        return Observation(seen.graph.with_nodes(log_degree=first), seen.masks)


class WholeBatch(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, terminated=step.terminated.all().expand(len(action)))


class Forgotten(VertexCover):
    features = Features(nodes={"colour": 1})


class TooWide(VertexCover):
    features = Features(nodes={"weight": 2})


class Priceless(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, reward=step.reward / 0)


class Endless(Walk):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, terminated=step.terminated & False, truncated=step.truncated & False)


class Stuck(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, terminated=step.terminated & False)


BROKEN = [
    (InPlace, r"leaves? the state"),
    (InPlaceWhenObserved, r"leaves? the state"),
    (FirstNode, "renumbers the observed column 'log_degree'"),
    (WholeBatch, r"steps as it does alone|a legal action exists"),
    (Forgotten, "has the column 'colour' of nodes"),
    (TooWide, "column 'weight' of nodes has width 2"),
    (Priceless, "rewards are finite"),
    (Endless, "episodes end within 50 steps"),
    (Stuck, "a legal action exists until the episode is over"),
]


@given(st.sampled_from([*ENVIRONMENTS.values(), VertexCover(legal="any")]), cover_instances(graphs=(0, 3)))
def test_environments_that_keep_the_contract_pass(environment: Environment, instances: GraphBatch) -> None:
    check_environment(environment, instances)


@pytest.mark.parametrize(("environment", "rule"), BROKEN)
def test_the_rule_that_is_broken_is_named(environment: type[Environment], rule: str) -> None:
    instances = VERTEX_COVER.generator()(4, torch.Generator().manual_seed(0))
    with pytest.raises(ConformanceError, match=rule):
        check_environment(environment(), instances, max_steps=50)
