"""An environment around another, which is asked for everything but what the outer one changes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step
from graphwright.envs.environment import Environment
from graphwright.envs.optimization import Optimization, Solution
from graphwright.envs.readable import Inputs


@dataclass(frozen=True)
class Around(Environment):
    """What is the same of `inner` whatever becomes of its steps."""

    inner: Environment

    @property
    @override
    def features(self) -> Features:
        return self.inner.features

    @property
    @override
    def actions(self) -> ActionSpec:
        return self.inner.actions

    @property
    @override
    def edits_graph(self) -> bool:
        return self.inner.edits_graph


@dataclass(frozen=True)
class AroundOptimization(Around, Optimization):
    """`inner`, an optimisation, unchanged."""

    inner: Optimization

    @property
    @override
    def maximise(self) -> bool:
        return self.inner.maximise

    @property
    @override
    def shows_edges(self) -> bool:
        return self.inner.shows_edges

    @property
    @override
    def inputs(self) -> Inputs | None:
        return self.inner.inputs

    @override
    def instance(self, graph: GraphBatch) -> GraphBatch:
        return self.inner.instance(graph)

    @override
    def reset(self, instances: GraphBatch) -> GraphBatch:
        return self.inner.reset(instances)

    @override
    def observe(self, state: GraphBatch) -> Observation:
        return self.inner.observe(state)

    @override
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        return self.inner.step(state, action)

    @override
    def objective(self, state: GraphBatch) -> Tensor:
        return self.inner.objective(state)

    @override
    def is_complete(self, state: GraphBatch) -> Tensor:
        return self.inner.is_complete(state)

    @override
    def solution(self, state: GraphBatch) -> Solution:
        return self.inner.solution(state)

    @override
    def severity(self, state: GraphBatch, action: Tensor) -> Tensor:
        return self.inner.severity(state, action)
