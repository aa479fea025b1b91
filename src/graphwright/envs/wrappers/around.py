"""An environment around another, which is asked for everything but what the outer one changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import new_class
from typing import Any, ClassVar, Self

from torch import Tensor
from typing_extensions import override

from graphwright.core import ActionSpec, Features, GraphBatch, Observation, Step
from graphwright.envs.endless import Endless
from graphwright.envs.environment import Environment
from graphwright.envs.optimization import Optimization, Solution
from graphwright.envs.planned import Planned, PlanStep
from graphwright.envs.readable import Inputs, Readable
from graphwright.envs.team import Team


@dataclass(frozen=True)
class Around(Environment):
    """What is the same of `inner` whatever becomes of its steps.

    own: capability → the class that has it around an environment that has it, where it is not the one below.
    """

    own: ClassVar[Mapping[Any, type[Around]]] = {}

    inner: Environment

    @classmethod
    def around(cls, inner: Environment, *options: Any, **named: Any) -> Self:
        """This around `inner`, with those of its capabilities that a wrapper can have."""
        return _with_capabilities(cls, type(inner))(inner, *options, **named)

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
class AroundReadable(Around, Readable):
    """`inner`, which is read from graphs."""

    inner: Readable

    @property
    @override
    def inputs(self) -> Inputs | None:
        return self.inner.inputs

    @override
    def instance(self, graph: GraphBatch) -> GraphBatch:
        return self.inner.instance(graph)


@dataclass(frozen=True)
class AroundOptimization(AroundReadable, Optimization):
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
    def so_far(self, state: GraphBatch) -> Solution:
        return self.inner.so_far(state)

    @override
    def severity(self, state: GraphBatch, action: Tensor) -> Tensor:
        return self.inner.severity(state, action)


@dataclass(frozen=True)
class AroundPlanned(AroundOptimization, Planned):
    """`inner`, whose final states are plans."""

    inner: Planned

    @override
    def plan(self, state: GraphBatch) -> list[PlanStep]:
        return self.inner.plan(state)


@dataclass(frozen=True)
class AroundEndless(Around, Endless):
    """`inner`, which never ends."""

    inner: Endless

    @override
    def averages(self, state: GraphBatch) -> Mapping[str, Tensor]:
        return self.inner.averages(state)

    @override
    def periods(self, state: GraphBatch) -> Tensor | None:
        return self.inner.periods(state)

    @override
    def reseeded(self, instances: GraphBatch, seed: int) -> GraphBatch:
        return self.inner.reseeded(instances, seed)

    @override
    def without_cuts(self) -> Endless:
        return replace(self, inner=self.inner.without_cuts())

    @override
    def load(self, instances: GraphBatch) -> Tensor | None:
        return self.inner.load(instances)

    @property
    @override
    def load_bound(self) -> str:
        return self.inner.load_bound


@dataclass(frozen=True)
class AroundTeam(Around, Team):
    """`inner`, which several agents play."""

    inner: Team

    @property
    @override
    def own_reward(self) -> bool:
        return self.inner.own_reward

    @override
    def measures(self, state: GraphBatch) -> Mapping[str, Tensor]:
        return self.inner.measures(state)

    @property
    @override
    def shares(self) -> frozenset[str]:
        return self.inner.shares

    @override
    def scene(self, instances: GraphBatch) -> Mapping[str, Tensor]:
        return self.inner.scene(instances)

    @override
    def snapshot(self, state: GraphBatch) -> Mapping[str, Tensor]:
        return self.inner.snapshot(state)


_PASSED_ON: dict[Any, Any] = {
    Readable: AroundReadable,
    Optimization: AroundOptimization,
    Planned: AroundPlanned,
    Endless: AroundEndless,
    Team: AroundTeam,
}


@cache
def _with_capabilities(wrapper: type[Around], inner: type[Environment]) -> Any:
    """`wrapper` itself, or a class of it that has the capabilities of `inner` too."""
    found = [wrapper.own.get(kind, way) for kind, way in _PASSED_ON.items() if issubclass(inner, kind)]
    bases = [kind for kind in [wrapper, *found] if not any(kind in other.__mro__[1:] for other in [wrapper, *found])]
    return bases[0] if len(bases) == 1 else new_class(wrapper.__name__, tuple(dict.fromkeys(bases)))
