"""Coverage as a problem of the registry."""

from __future__ import annotations

from graphwright.envs.problem import ControlRule, Problem
from graphwright.envs.teams.coverage.environment import Coverage, coverage_instances
from graphwright.envs.teams.coverage.rules import assigned, greedy, nearest
from graphwright.envs.teams.defaults import CROWD

COVERAGE = Problem(
    name="coverage",
    summary="a team covers landmarks, one each",
    objective="return",
    environment=Coverage(),
    topology="points",
    sizes=(3, 4, 5),
    laws={"uniform": coverage_instances},
    baselines={"assigned": ControlRule(assigned), "greedy": ControlRule(greedy), "nearest": ControlRule(nearest)},
    training=CROWD | {"validation": {"sizes": (3, 5), "graphs": 32, "every": 10}},
)
