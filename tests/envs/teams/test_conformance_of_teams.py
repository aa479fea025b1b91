"""The section of the conformance test for teams names what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from graphwright.core import GraphBatch, Step
from graphwright.envs.conformance import ConformanceError, check_environment
from graphwright.envs.registry import find_problem
from graphwright.envs.team import Team
from graphwright.envs.teams.coverage.environment import Coverage
from graphwright.envs.teams.patrol.environment import Patrol
from strategies import seeded


@dataclass(frozen=True)
class Half(Coverage):
    def measures(self, state: GraphBatch) -> Mapping[str, Tensor]:
        return {"success": torch.full((state.num_graphs,), 0.5, dtype=torch.float64)}


@dataclass(frozen=True)
class Beyond(Coverage):
    @property
    def shares(self) -> frozenset[str]:
        return frozenset({"distance"})

    def measures(self, state: GraphBatch) -> Mapping[str, Tensor]:
        return {"distance": torch.full((state.num_graphs,), 1.5, dtype=torch.float64)}


@dataclass(frozen=True)
class Misspelt(Coverage):
    @property
    def shares(self) -> frozenset[str]:
        return frozenset({"covred"})


@dataclass(frozen=True)
class OfTheBatch(Coverage):
    def measures(self, state: GraphBatch) -> Mapping[str, Tensor]:
        return {"spread": state.nodes["position"].double().std().expand(state.num_graphs)}


@dataclass(frozen=True)
class OneRow(Coverage):
    def snapshot(self, state: GraphBatch) -> Mapping[str, Tensor]:
        return {"agents": state.nodes["position"]}


@dataclass(frozen=True)
class Silent(Patrol):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        return replace(super().step(state, action), successor=None)


@dataclass(frozen=True)
class Twins(Patrol):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        assert step.successor is not None
        return replace(step, successor=step.successor.clamp(max=0))


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (Half(steps=2), "'success' is 0 or 1"),
        (Beyond(steps=2), "shares: 'distance' is not between 0 and 1"),
        (Misspelt(steps=2), r"shares: 'covred' is none of the measures \['success'\]"),
        (OfTheBatch(steps=2), "measures: among others"),
        (OneRow(steps=2), "snapshot: 'agents' has .* not a row for each team"),
        (Silent(steps=4), "`successor` does not say whose place"),
        (Twins(steps=4), "successor names one decider for two"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_what_is_wrong_is_named(environment: Team, message: str) -> None:
    name = "patrol" if isinstance(environment, Patrol) else "coverage"
    instances = find_problem(name).generator(sizes=(2, 3))(3, seeded())
    if "leaves" in instances.nodes:
        instances = instances.with_nodes(leaves=instances.nodes["leaves"].clamp(max=1 << 30) // 32)
    with pytest.raises(ConformanceError, match=message):
        check_environment(environment, instances)
